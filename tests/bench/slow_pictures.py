"""How long clicks wait while strangers send pictures that take seconds to decode. `python tests/bench/slow_pictures.py`

Spells without and with strangers follow each other, so that the ratio of their waits holds on a machine that others use too.
Each stranger sends one JPEG 2000 of 49 megapixels after the other.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "hostile")]

from attackers import SlowPictures
from running import running
from visitor import Visitor

PATTERN = "resnet64-linf10.safetensors"
STRANGERS = 3


def waits(visitor: Visitor, seconds: float) -> list[float]:
    """Seconds of each click for so long."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.perf_counter()
        answer = visitor.look("resnet64", PATTERN, len(found) % 64 / 2)
        found.append(time.perf_counter() - started)
        assert answer.success, answer.text
        time.sleep(0.05)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="of a spell")
    parser.add_argument("--spells", type=int, default=3, help="without strangers, and as many with them")
    chosen = parser.parse_args()
    alone, beside = list[float](), list[float]()
    with running() as app:
        visitor = Visitor(app.address)
        waits(visitor, 5)  # what the first clicks load
        for _spell in range(chosen.spells):
            alone += waits(visitor, chosen.seconds)
            until = time.monotonic() + chosen.seconds
            strangers: list[threading.Thread] = [SlowPictures(app.address, until, visitor.config) for _ in range(STRANGERS)]
            for stranger in strangers:
                stranger.start()
            beside += waits(visitor, chosen.seconds)
            for stranger in strangers:
                stranger.join()
    print("| clicks | number | 50 % | 95 % | longest, ms |\n|---|---|---|---|---|")
    for name, found in (("alone", alone), ("beside strangers", beside)):
        print(
            f"| {name} | {len(found)} | {' | '.join(f'{1000 * place:.0f}' for place in np.percentile(found, (50, 95, 100)))} |"
        )
    ratios = np.percentile(beside, (50, 95)) / np.percentile(alone, (50, 95))
    print(f"\nratio of the medians {ratios[0]:.2f}, of the 95th percentiles {ratios[1]:.2f}")


if __name__ == "__main__":
    main()
