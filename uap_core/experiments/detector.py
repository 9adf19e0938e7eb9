"""A detector: does the entropy of a deep layer's scores give a universal pattern away?

A universal pattern makes a few features dominate in every picture, so that the entropy of a hidden layer falls (Sun, Sun and
Zhao, Democratic Training, ICLR 2025). The scores here are the means of the channels of the last feature maps, the
probabilities their softmax; an alarm is an entropy below a threshold. Nothing is learned from attacked pictures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.fgsm import FGSM
from uap_core.attacks.iterative_fgsm import IterativeFGSM
from uap_core.datasets import ImageSet
from uap_core.metrics import Z95, Rate
from uap_core.models.classifier import Classifier
from uap_core.models.features import features_at
from uap_core.norms import LINF
from uap_core.perturbation import Perturbation

UNIVERSAL, RANDOM, SINGLE, ITERATED = "universal pattern", "random signs", "FGSM per image", "PGD per image"
DEPTH = 16  # the last maps whose side is still a sixteenth of the picture's
STEPS = 8
POINTS = 25


@dataclass(frozen=True)
class DetectorRow:
    """One point of an attack's ROC: entropies below ``threshold`` (nats) raise the alarm.

    ``false_alarms`` of the clean images and ``detected`` of the same images attacked. ``auc`` is the area under the whole
    curve, the same in all its rows, with the 95 % interval of Hanley and McNeil (Radiology 1982). It takes clean and attacked
    images for independent; these are the same images twice, which makes the interval rather too wide.
    """

    attack: str
    threshold: float
    false_alarms: Rate
    detected: Rate
    auc: float
    auc_low: float
    auc_high: float


def detector_rows(
    network: Classifier, perturbation: Perturbation, images: ImageSet, generator: torch.Generator, batch_size: int = 32
) -> Iterator[list[DetectorRow]]:
    """The ROC of one attack after the other, all of its points at once: the pattern, random signs of the same norm, and for an
    l_inf pattern FGSM and PGD of the same epsilon, made for each image.

    PGD takes all of its steps, so that it ends far beyond the boundary. Raises PerturbationError for a pattern of another size.
    """
    ball = perturbation.ball
    signs = ball.random_signs(tuple(perturbation.pattern.shape), generator)
    noise = Perturbation(RANDOM, signs, ball)
    attacks: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        UNIVERSAL: lambda batch, labels: perturbation.apply(batch),
        RANDOM: lambda batch, labels: noise.apply(batch),
    }
    if ball.p == LINF:
        single = FGSM(ball.radius)
        iterated = IterativeFGSM(ball.radius, ball.radius / 4, STEPS, random_start=True, all_steps=True)
        attacks[SINGLE] = lambda batch, labels: single(network, batch, labels).adversarial
        attacks[ITERATED] = lambda batch, labels: iterated(network, batch, labels, generator=generator).adversarial
    clean, labels = [], []
    for batch in images.batches(batch_size):
        with torch.inference_mode():
            labels.append(network(batch).argmax(dim=1))
        clean.append(deep_entropy(network, batch))
    for name, attack in attacks.items():
        batches = zip(images.batches(batch_size), labels, strict=True)
        attacked = torch.cat([deep_entropy(network, attack(batch, seen)) for batch, seen in batches])
        yield roc(name, torch.cat(clean), attacked)


@torch.inference_mode()
def deep_entropy(network: Classifier, images: Tensor) -> Tensor:
    """Entropies (N,) in nats of softmax(mean of each channel) of the last feature maps, for images (N,3,S,S)."""
    scores = features_at(network, DEPTH)(images.to(network.device)).mean(dim=(2, 3)).cpu()
    logs = scores.log_softmax(dim=1)
    return -(logs.exp() * logs).sum(dim=1)


def roc(attack: str, clean: Tensor, attacked: Tensor, points: int = POINTS) -> list[DetectorRow]:
    """Rows for thresholds spread evenly over both sets' entropies (N,), from no alarm at all to nothing but alarms."""
    area = auc(clean, attacked)
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
            *(round(value, 4) for value in (area, low, high)),
        )
        for threshold in thresholds
    ]


def auc(clean: Tensor, attacked: Tensor) -> float:
    """Area under the ROC: how often an attacked image's entropy (N,) is the lower one of a pair, ties counting half.

    This is the Mann-Whitney statistic over the number of pairs.
    """
    lower = (attacked[:, None] < clean).double() + 0.5 * (attacked[:, None] == clean).double()
    return float(lower.mean())


def auc_interval(area: float, clean: int, attacked: int) -> tuple[float, float]:
    """The 95 % interval of Hanley and McNeil (1982, eq. 1 and 2) for an ``area`` from so many images."""
    both_attacked, both_clean = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (attacked - 1) * (both_attacked - area**2) + (clean - 1) * (both_clean - area**2)
    half = Z95 * math.sqrt(max(0.0, variance) / (clean * attacked))
    return max(0.0, area - half), min(1.0, area + half)
