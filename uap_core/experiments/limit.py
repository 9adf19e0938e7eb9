"""How near short runs come to the ceiling of the method, and which photographs never fall.

A photograph that withstands every pattern of a network is described by what might explain it: how far the network is from
another answer, how much fine structure the picture has, how much of it is black or white, and whether the answer is right.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from uap_core.metrics import Z95, Rate, auc

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.datasets.image_sets import ImageSet
    from uap_core.models.classifier import Classifier
    from uap_core.norms import Ball

MARGIN, SURE, FINE, CONTRAST, CLIPPED, RIGHT = "margin", "sure", "fine", "contrast", "clipped", "right"
NAMES = {
    MARGIN: "margin of the clean answer: its logit less the next",
    SURE: "probability of the clean answer",
    FINE: "share of the picture's energy in fine structure",
    CONTRAST: "contrast: standard deviation of the grey values",
    CLIPPED: "share of values at 0 or 255, where clipping eats a pattern",
    RIGHT: "share of photographs whose clean answer is right",
}
SMOOTHED_OVER = 5  # pixels at 64 a side; what a mean over so many takes away is fine structure


@dataclass(frozen=True)
class LimitRow:
    """The default method after ``image_gradients`` from ``images`` pictures: how many held-out ones its pattern fools."""

    network: str
    image_gradients: int
    images: int
    fooling_rate: Rate
    random_signs: float


@dataclass(frozen=True)
class TraitRow:
    """One trait of the photographs that never fall and of those that do: means with 95 % intervals, and the area under the ROC
    curve, the probability that one that never falls has more of it (0.5: the trait tells nothing)."""

    network: str
    trait: str
    never: float
    never_half: float
    falls: float
    falls_half: float
    auc: float


@dataclass(frozen=True)
class NeverRow:
    """How many held-out photographs no pattern of ``patterns`` fools, and the most frequent clean labels of those, each with
    how many of its photographs never fall."""

    network: str
    never: Rate
    patterns: list[str]
    labels: list[str]


def limit_rows(
    classifier: Classifier, craft: ImageSet, held_out: ImageSet, ball: Ball, budgets: Sequence[int], seed: int
) -> Iterator[tuple[LimitRow, Tensor]]:
    """One run of the default method for each of ``budgets``: its row and its pattern (3,H,W). Raises what crafting raises."""
    import torch

    from uap_core.crafting.menu import build
    from uap_core.experiments.evaluation import evaluate
    from uap_core.perturbations.perturbation import Perturbation

    for budget in budgets:
        method, seeded = build("default", budget, classifier.shape), torch.Generator().manual_seed(seed)
        (last,) = deque(method.craft(classifier, craft.pixels, ball, seeded), maxlen=1)
        found = evaluate(classifier, Perturbation("", last.perturbation, ball), held_out, torch.Generator().manual_seed(seed))
        signs = round(found.random_signs.value, 4)
        row = LimitRow(classifier.card.key, last.image_gradients, len(craft), found.universal, signs)
        yield row, last.perturbation


def traits(classifier: Classifier, images: Tensor, truth: Tensor | None = None) -> dict[str, Tensor]:
    """Each trait (N,) of uint8 images (N,3,H,W), and the clean ``labels`` (N,) under "label"; ``truth`` are true indices."""
    import torch

    from uap_core.crafting.problem import clean_logits

    logits = clean_logits(classifier, images).cpu()
    top, labels = logits.topk(2, dim=1).values, logits.argmax(dim=1)
    grey = images.float().mean(dim=1)
    found = {
        "label": labels,
        MARGIN: top[:, 0] - top[:, 1],
        SURE: logits.softmax(dim=1).amax(dim=1),
        FINE: fine_structure(grey),
        CONTRAST: grey.flatten(1).std(dim=1) / 255,
        CLIPPED: ((images == 0) | (images == 255)).float().flatten(1).mean(dim=1),
    }
    return found if truth is None else found | {RIGHT: (labels == truth).to(torch.float32)}


def fine_structure(grey: Tensor) -> Tensor:
    """Share (N,) of the variance of grey pictures (N,H,W) that is lost when each value becomes the mean of its surroundings."""
    from torch.nn import functional as F

    side = 2 * round(SMOOTHED_OVER * grey.shape[-1] / 64 / 2) + 1
    centred = (grey - grey.mean(dim=(1, 2), keepdim=True))[:, None]
    smooth = F.avg_pool2d(F.pad(centred, (side // 2,) * 4, mode="reflect"), side, stride=1)
    energy = centred.square().flatten(1).sum(dim=1)
    return (centred - smooth).square().flatten(1).sum(dim=1) / energy.clamp(min=1e-9)


def fallen(classifier: Classifier, images: Tensor, patterns: Sequence[Tensor], clean: Tensor) -> Tensor:
    """Whether any of ``patterns`` (3,H,W) changes the ``clean`` label of each of uint8 images: bool (N,)."""
    import torch

    from uap_core.crafting.problem import predicted

    found = torch.zeros(len(images), dtype=torch.bool)
    for pattern in patterns:
        left = (~found).nonzero()[:, 0]  # those that fell need not be asked again
        found[left] = predicted(classifier, images[left], pattern.to(classifier.device)).cpu() != clean[left]
    return found


def trait_rows(network: str, found: dict[str, Tensor], falls: Tensor) -> list[TraitRow]:
    """Compare each trait of those that never fall with that of those that fall (``falls`` bool (N,)); none without both."""
    if not (0 < int(falls.sum()) < len(falls)):
        return []
    rows = []
    for trait in (trait for trait in NAMES if trait in found):
        never, others = found[trait][~falls], found[trait][falls]
        (mean, half), (mean_of_others, half_of_others) = _mean(never), _mean(others)
        numbers = (round(value, 4) for value in (mean, half, mean_of_others, half_of_others, auc(never, others)))
        rows.append(TraitRow(network, trait, *numbers))
    return rows


def _mean(values: Tensor) -> tuple[float, float]:
    """A mean and half its 95 % interval."""
    half = Z95 * float(values.double().std()) / sqrt(len(values)) if len(values) > 1 else 0.0
    return float(values.double().mean()), half


def never_row(network: str, names: Sequence[str], labels: Tensor, falls: Tensor, class_names: Sequence[str]) -> NeverRow:
    """Count those that never fall, and the clean ``labels`` (N,) that most of them have."""
    counts, of_all = labels[~falls].bincount(minlength=len(class_names)), labels.bincount(minlength=len(class_names))
    most = counts.topk(min(5, len(counts))).indices.tolist()
    told = [f"{class_names[place]} {int(counts[place])}/{int(of_all[place])}" for place in most if counts[place]]
    return NeverRow(network, Rate(int((~falls).sum()), len(falls)), list(names), told)
