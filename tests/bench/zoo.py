"""What listing and choosing networks costs: `python tests/bench/zoo.py`. Needs nothing but the embedded network."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

LISTING = """
import sys, time
started = time.perf_counter()
from uap_core.models.zoo import Zoo
from uap_core.models.weights import state
found = [state(card) for card in Zoo().cards().values()]
print(len(found), 1000 * (time.perf_counter() - started), "torch" in sys.modules)
"""


def main() -> None:
    runs = [
        subprocess.run([sys.executable, "-c", LISTING], cwd=ROOT, capture_output=True, text=True, check=True) for _ in range(9)
    ]
    count, _, torch_too = runs[0].stdout.split()
    times = sorted(float(run.stdout.split()[1]) for run in runs[1:])  # the first may work out hashes
    spread = f"{median(times):.0f} ms ({times[0]:.0f} to {times[-1]:.0f})"
    print(f"listing {count} networks with their state: {spread}, torch imported: {torch_too}")

    from uap_core.models.zoo import Zoo

    zoo = Zoo()
    for name in ("first", "second"):
        started = time.perf_counter()
        zoo.load("resnet64")
        print(f"{name} choice of the embedded network: {1000 * (time.perf_counter() - started):.2f} ms")


if __name__ == "__main__":
    main()
