"""Vectors of pixel space drawn for a set of images, and how often they fool: what the experiments on geometry share.

Where a direction is drawn at random, every image gets one of its own. The rate is then the mean over directions and images
alike, and its interval holds, since no two trials share a draw.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from uap_core.datasets.image_sets import ImageSet
from uap_core.metrics import Rate, fooling_rate
from uap_core.models.classifier import Classifier
from uap_core.norms import L2, Ball
from uap_core.perturbations.perturbation import apply

BATCH = 32
UNIT = Ball(L2, 1.0)

# How many images to that many directions of unit l2 norm (n,3,H,W), or to one for all of them (1,3,H,W).
Draw = Callable[[int], Tensor]


def always(direction: Tensor) -> Draw:
    """One ``direction`` (3,H,W) of any length but zero, for every image."""
    unit = UNIT.fill(direction)[None]
    return lambda count: unit


def one_of(directions: Tensor, generator: torch.Generator) -> Draw:
    """For each image one of the ``directions`` (n,3,H,W) of any length, drawn with replacement."""
    return lambda count: UNIT.fill(directions[torch.randint(len(directions), (count,), generator=generator)].float())


def anywhere(shape: tuple[int, ...], generator: torch.Generator) -> Draw:
    """For each image a direction drawn evenly from the unit sphere of the whole space; ``shape`` is (3,H,W)."""
    return lambda count: UNIT.fill(torch.randn((count, *shape), generator=generator))


def in_span(basis: Tensor, generator: torch.Generator) -> Draw:
    """For each image a direction drawn evenly from the unit sphere of the span of ``basis`` (d,3,H,W), which is orthonormal."""

    def draw(count: int) -> Tensor:
        weights = torch.randn((count, len(basis)), generator=generator)
        return UNIT.fill((weights @ basis.flatten(1)).view(count, *basis.shape[1:]))

    return draw


@torch.inference_mode()
def fooled_by(classifier: Classifier, images: ImageSet, clean: Tensor, draw: Draw, norm: float) -> Rate:
    """Fooling rate of directions from ``draw`` made ``norm`` long (l2, units of [0,1]); ``clean`` (N,) are the clean labels."""
    labels = [classifier(apply(x, norm * draw(len(x)))).argmax(dim=1) for x in images.batches(BATCH)]
    return fooling_rate(clean, torch.cat(labels))
