"""A thousand light clicks on the running app: how long each takes, and whether memory grows. `python tests/bench/clicks.py`

Apply, epsilon and photograph in turn, by one visitor, each time with another strength, on the embedded network. Memory is the
process's resident set after each click; its slope is fitted to the second half, when all caches are full. Linux only.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "hostile")]

from running import running
from visitor import Visitor

from uap_core import sample_photos

PHOTOS = [photo.key for photo in sample_photos()]
PATTERN = "resnet64-linf10.safetensors"
WARMING = 30.0  # seconds in which the page loads what later clicks need, beside its first visitor


def megabytes(process: int, name: str = "VmRSS") -> float:
    """Resident memory of a process now, or at its peak (VmHWM)."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith(name))


def slope(values: list[float]) -> tuple[float, float]:
    """Least squares over the number of the click, with its standard error."""
    clicks = np.arange(len(values)) - (len(values) - 1) / 2
    fitted = (clicks * values).sum() / (clicks**2).sum()
    rest = np.asarray(values) - np.mean(values) - fitted * clicks
    return float(fitted), float(np.sqrt((rest**2).sum() / (len(values) - 2) / (clicks**2).sum()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=1000)
    clicks = parser.parse_args().clicks
    with running() as app:
        visitor = Visitor(app.address)
        seconds: dict[str, list[float]] = {"look_apply": [], "check": [], "pick_photo": []}
        memory = []
        for number in range(clicks + 30):
            if number == 30:
                time.sleep(WARMING)
            level = (number % 64) / 2
            name, data, event = (
                ("look_apply", [None, None, "resnet64", PATTERN, None, level], None),
                ("check", ["resnet64", PATTERN, None, level], None),
                ("pick_photo", ["resnet64", ""], {"photo": f"sample:{PHOTOS[number % 6]}"}),
            )[number % 3]
            started = time.perf_counter()
            answer = visitor.call(name, data, event)
            if number >= 30:  # the first ones load what all later ones share
                seconds[name].append(time.perf_counter() - started)
                memory.append(megabytes(app.process.pid))
            assert answer.success, (name, answer.text)
        peak = megabytes(app.process.pid, "VmHWM")
    print("| click | number | 50 % | 95 % | 99 %, ms |\n|---|---|---|---|---|")
    seconds["all"] = [value for each in seconds.values() for value in each]
    for name, values in seconds.items():
        places = " | ".join(f"{1000 * place:.0f}" for place in np.percentile(values, (50, 95, 99)))
        print(f"| {name} | {len(values)} | {places} |")
    told = ", ".join(f"{memory[number - 1]:.0f} after {number}" for number in range(100, clicks + 1, 100))
    print(f"\nresident MB: {memory[0]:.0f} after 1, {told}")
    grown, error = slope(memory[len(memory) // 2 :])
    print(f"\nmemory: {memory[0]:.0f} MB at first, {memory[-1]:.0f} MB at last, peak {peak:.0f} MB;", end=" ")
    print(f"in the second half {1000 * grown:+.1f} KB a click (standard error {1000 * error:.1f})")


if __name__ == "__main__":
    main()
