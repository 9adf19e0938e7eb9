"""What rewriting layers at loading time gains, network by network: `python tests/bench/layers.py [NETWORK ...]`.

The same short crafting run on each network as its file has it and as it is loaded, in turn, on random pictures.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from unittest.mock import patch

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from uap_core import Ball, Default
from uap_core.models import loaders
from uap_core.models.classifier import Classifier
from uap_core.models.zoo import Zoo

CARDS = Path(__file__).resolve().parents[1] / "cards"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", help="keys of the zoo; all whose weights are here unless told")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cards = Zoo([CARDS]).cards()
    print(f"{'network':24} {'as in the file':>15} {'as loaded':>10} {'ratio':>6}  (lowest to highest)  {'logits apart':>12}")
    for key in options.networks or [key for key, card in cards.items() if card.weights_path.is_file()]:
        rewritten = Zoo([CARDS]).load(key)
        with patch.multiple(loaders, fold_batch_norm=lambda n: n):
            original = Zoo([CARDS]).load(key)
        images = torch.randint(0, 256, (16, 3, original.size, original.size), dtype=torch.uint8)
        apart = float((original(images / 255) - rewritten(images / 255)).abs().max())
        pairs = [(seconds(original, images), seconds(rewritten, images)) for _ in range(options.rounds + 1)][1:]
        ratios = sorted(before / after for before, after in pairs)
        before, after = (median(times) for times in zip(*pairs, strict=True))
        spread = f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(f"{key:24} {before:13.2f} s {after:8.2f} s {median(ratios):6.2f}  {spread:19}  {apart:12.1e}", flush=True)


def seconds(classifier: Classifier, images: torch.Tensor) -> float:
    """For eight steps of eight images, with what comes before and after."""
    started = time.perf_counter()
    list(Default(budget=64, bf16=True).craft(classifier, images, Ball("linf", 10 / 255), torch.Generator().manual_seed(0)))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
