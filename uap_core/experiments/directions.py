"""Which directions matter? Fooling rate against l2 length for the pattern and for simpler directions (CVPR 2017, Fig. 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.random_directions import BATCH, Draw, always, anywhere, fooled_by, one_of
from uap_core.metrics import Rate, predict
from uap_core.models.classifier import Classifier
from uap_core.models.gradients import loss_gradient
from uap_core.norms import of_levels

UNIVERSAL, SUM, SINGLE, FAST, RANDOM, MEAN = "universal", "sum", "single", "fgsm", "random", "mean"
NAMES = {
    UNIVERSAL: "universal pattern",
    SUM: "sum of adversarial directions",
    SINGLE: "one adversarial direction",
    FAST: "one FGSM direction",
    RANDOM: "random direction",
    MEAN: "mean image",
}
NORMS = tuple(of_levels(length) for length in (500, 1000, 2000, 4000))


@dataclass(frozen=True)
class DirectionRow:
    """Fooling rate of one ``direction`` made ``norm`` long (l2, units of [0,1])."""

    direction: str
    norm: float
    fooling_rate: Rate


def direction_rates(
    classifier: Classifier, images: ImageSet, clean: Tensor, draws: Mapping[str, Draw], norms: Sequence[float] = NORMS
) -> Iterator[DirectionRow]:
    """A row for each of ``draws`` by its name and each of ``norms``; ``clean`` (N,) are the labels of ``images``."""
    for name, draw in draws.items():
        for norm in norms:
            yield DirectionRow(name, norm, fooled_by(classifier, images, clean, draw, norm))


def blind_directions(pattern: Tensor, craft: ImageSet, generator: torch.Generator) -> dict[str, Draw]:
    """Directions that cost no gradient: ``pattern`` (3,H,W), a random one for each image, the mean of ``craft``."""
    mean = torch.stack([batch.sum(dim=0) for batch in craft.batches(BATCH)]).sum(dim=0) / len(craft)
    return {UNIVERSAL: always(pattern), RANDOM: anywhere(tuple(pattern.shape), generator), MEAN: always(mean)}


def fast_directions(classifier: Classifier, craft: ImageSet, generator: torch.Generator) -> dict[str, Draw]:
    """For each image the sign of the loss gradient of some craft image: FGSM's direction, made for another picture."""
    signs = []
    for batch in craft.batches(BATCH):
        signs.append(loss_gradient(classifier, batch, predict(classifier, [batch]).clone()).sign().to(torch.int8))
    return {FAST: one_of(torch.cat(signs), generator)}


def adversarial_directions(normals: Tensor, generator: torch.Generator) -> dict[str, Draw]:
    """From unit normals (n,3,H,W) of craft images: their sum, and for each image one of them."""
    return {SUM: always(normals.sum(dim=0)), SINGLE: one_of(normals, generator)}
