"""How fast each method finds its pattern: held-out fooling rate against the image-gradients spent.

torch is imported on use: the page tells of precomputed rows before it is loaded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uap_core.metrics import Rate, fooling_rate, predict

if TYPE_CHECKING:
    from uap_core.crafting.base import Crafter
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.models.classifier import Classifier
    from uap_core.norms import Ball


@dataclass(frozen=True)
class ConvergenceRow:
    """The pattern of ``method`` on the held-out images after ``image_gradients``.

    On the way a run is what it is: one that was planned for fewer gradients would have ended better there. ``seconds`` are
    those of crafting alone, measuring left out.
    """

    method: str
    seed: int
    image_gradients: int
    seconds: float
    held_out_rate: Rate


def convergence(
    classifier: Classifier,
    methods: Mapping[str, Crafter],
    craft: ImageSet,
    held_out: ImageSet,
    ball: Ball,
    seed: int,
    points: Sequence[int],
) -> Iterator[ConvergenceRow]:
    """Run each method once and measure it whenever one of ``points`` (image-gradients, ascending) is passed, and at its end."""
    import torch

    from uap_core.crafting import problem

    clean = predict(classifier, held_out.batches())
    for name, method in methods.items():
        left, measuring = list(points), 0.0
        for progress in method.craft(classifier, craft.pixels, ball, torch.Generator().manual_seed(seed)):
            if not progress.done and (not left or progress.image_gradients < left[0] or progress.share >= 1):
                continue
            left = [point for point in left if point > progress.image_gradients]
            started = time.perf_counter()
            rate = fooling_rate(clean, problem.predicted(classifier, held_out.pixels, progress.perturbation))
            yield ConvergenceRow(name, seed, progress.image_gradients, round(progress.seconds - measuring, 2), rate)
            measuring += time.perf_counter() - started
