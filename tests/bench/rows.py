"""How long Compare's default rows take, without page and browser: `python tests/bench/rows.py resnet64 mobilenet_v2_tf`

Each photograph in turn, the first one cold. Seconds to the first row and to all of them, and of each attack.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from uap_core.attacks.menu import BASELINES, MENU
from uap_core.experiments.compare import compare
from uap_core.images.photographs import sample_photos
from uap_core.images.reading import from_array, square
from uap_core.models.zoo import Zoo
from uap_core.perturbations.library import library
from uap_core.perturbations.perturbation import load_perturbation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="+")
    keys = [*BASELINES, *(key for key, item in MENU.items() if item.chosen)]
    zoo = Zoo([ROOT / "tests" / "cards"])
    for network in parser.parse_args().network:
        classifier = zoo.load(network)
        card = classifier.card
        entry = next(entry for entry in library() if entry.side == card.input_size and network in entry.networks)
        perturbation = load_perturbation(entry.path)
        print(f"{card.name}\n| photograph | first row, s | all | {' | '.join(keys)} |\n|---|---|---|{'---|' * len(keys)}")
        for photo in sample_photos():
            shape = card.resize_size, card.input_size, card.interpolation
            image = from_array(np.asarray(square(photo.open(), *shape)))
            started, first, seconds = time.perf_counter(), 0.0, dict[str, float]()
            for row in compare(classifier, image, perturbation, keys):
                if row.done:
                    first = first or time.perf_counter() - started
                    seconds[row.key] = row.seconds
            took = time.perf_counter() - started
            each = " | ".join(f"{seconds[key]:.2f}" for key in keys)
            print(f"| {photo.title} | {first:.2f} | {took:.2f} | {each} |", flush=True)


if __name__ == "__main__":
    main()
