"""A detector: does the entropy of a deep layer's scores give a universal pattern away?

A universal pattern makes a few features dominate in every picture, so that the entropy of a hidden layer falls (Sun, Sun and
Zhao, Democratic Training, ICLR 2025; see ``models/feature_entropy.py``). An alarm is an entropy below a threshold. Nothing is
learned from attacked pictures. As with every defence, a pattern that knows it is part of the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.bim import IterativeFGSM
from uap_core.attacks.fgsm import FGSM
from uap_core.crafting.detector_aware import Unnoticed
from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.defences import Crafting
from uap_core.metrics import Z95, Rate, auc, fooling_rate
from uap_core.models.classifier import Classifier
from uap_core.models.feature_entropy import deep_entropy
from uap_core.norms import LINF
from uap_core.perturbations.perturbation import Perturbation

UNIVERSAL, AWARE, RANDOM, SINGLE, ITERATED = "universal", "aware", "random_signs", "fgsm", "pgd"
NAMES = {
    UNIVERSAL: "universal pattern",
    AWARE: "one that knows the detector",
    RANDOM: "random noise",
    SINGLE: "FGSM per image",
    ITERATED: "PGD per image",
}
STEPS = 8
POINTS = 25

# A batch of images (n,3,S,S) and their clean labels (n,) to the same images under attack.
Attacked = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class DetectorRow:
    """One point of an attack's ROC: entropies below ``threshold`` (nats) raise the alarm.

    ``false_alarms`` of the clean images and ``detected`` of the same images attacked; ``fooled`` is the attack's fooling rate
    on them, the same in all its rows. ``auc`` is the area under the whole
    curve, the same in all its rows, with the 95 % interval of Hanley and McNeil (Radiology 1982). It takes clean and attacked
    images for independent; these are the same images twice, which makes the interval rather too wide.
    """

    attack: str
    threshold: float
    false_alarms: Rate
    detected: Rate
    fooled: Rate
    auc: float
    auc_low: float
    auc_high: float


def detector_rows(
    network: Classifier,
    perturbation: Perturbation,
    craft_set: ImageSet,
    images: ImageSet,
    method: Unnoticed,
    generator: torch.Generator,
    batch_size: int = 32,
) -> Iterator[Crafting | list[DetectorRow]]:
    """The ROC of one attack after the other, all of its points at once: the pattern; one that knows the detector, crafted in
    the same ball by ``method`` on ``craft_set`` (on the way to it the share that is crafted); random signs of the same norm;
    and for an l_inf pattern FGSM and PGD of the same epsilon, made for each image.

    PGD takes all of its steps, so that it ends far beyond the boundary. Raises PerturbationError for a pattern of another size.
    """
    ball, shape = perturbation.ball, tuple(perturbation.pattern.shape)
    signs = Perturbation(RANDOM, ball.random_signs(shape, generator), ball)
    clean = _seen(network, images.batches(batch_size))

    def measured(name: str, attack: Attacked) -> list[DetectorRow]:
        batches = zip(images.batches(batch_size), clean.labels.split(batch_size), strict=True)
        found = _seen(network, (attack(batch, labels) for batch, labels in batches))
        return roc(name, clean.entropies, found.entropies, fooling_rate(clean.labels, found.labels))

    yield measured(UNIVERSAL, _with(perturbation))
    for progress in method.craft(network, craft_set.pixels, ball, torch.Generator().manual_seed(generator.initial_seed())):
        aware = progress.perturbation
        yield Crafting(AWARE, progress.share)
    yield measured(AWARE, _with(Perturbation(AWARE, aware, ball)))
    yield measured(RANDOM, _with(signs))
    if ball.p == LINF:
        single = FGSM(ball.radius)
        yield measured(SINGLE, lambda batch, labels: single(network, batch, labels).adversarial)
        iterated = IterativeFGSM(ball.radius, ball.radius / 4, STEPS, random_start=True, all_steps=True)
        yield measured(ITERATED, lambda batch, labels: iterated(network, batch, labels, generator=generator).adversarial)


def _with(pattern: Perturbation) -> Attacked:
    return lambda batch, labels: pattern.apply(batch)


@dataclass(frozen=True)
class _Seen:
    """Entropies and labels (N,) of some images."""

    entropies: Tensor
    labels: Tensor


def _seen(network: Classifier, batches: Iterable[Tensor]) -> _Seen:
    entropies, labels = [], []
    for batch in batches:  # which may need gradients to come to be
        with torch.inference_mode():
            entropies.append(deep_entropy(network, batch))
            labels.append(network(batch).argmax(dim=1))
    return _Seen(torch.cat(entropies), torch.cat(labels))


def roc(attack: str, clean: Tensor, attacked: Tensor, fooled: Rate, points: int = POINTS) -> list[DetectorRow]:
    """Rows for thresholds spread evenly over both sets' entropies (N,), from no alarm at all to nothing but alarms."""
    area = auc(clean, attacked)  # how often an attacked image has the lower entropy of a pair
    low, high = auc_interval(area, len(clean), len(attacked))
    pooled = torch.cat([clean, attacked]).double()
    inner = pooled.quantile(torch.linspace(0, 1, points, dtype=torch.float64))
    thresholds = [*inner.tolist(), float(pooled.max()) + 1.0]
    return [
        DetectorRow(
            attack,
            round(threshold, 6),
            Rate(int((clean.double() < threshold).sum()), len(clean)),
            Rate(int((attacked.double() < threshold).sum()), len(attacked)),
            fooled,
            *(round(value, 4) for value in (area, low, high)),
        )
        for threshold in thresholds
    ]


def auc_interval(area: float, clean: int, attacked: int) -> tuple[float, float]:
    """The 95 % interval of Hanley and McNeil (1982, eq. 1 and 2) for an ``area`` from two numbers of images."""
    both_attacked, both_clean = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (attacked - 1) * (both_attacked - area**2) + (clean - 1) * (both_clean - area**2)
    half = Z95 * math.sqrt(max(0.0, variance) / (clean * attacked))
    return max(0.0, area - half), min(1.0, area + half)
