"""The epsilon sweep: how many images are fooled as the bound grows, and what happens to one photograph on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.fgsm import loss_gradient
from uap_core.datasets import ImageSet
from uap_core.metrics import Rate, fooling_rate
from uap_core.models.classifier import Classifier
from uap_core.norms import LINF, Ball
from uap_core.perturbation import Perturbation

UNIVERSAL, RANDOM, SINGLE = "universal", "random signs", "FGSM per image"
EPSILONS = tuple(level / 255 for level in (0, 1, 2, 4, 6, 8, 10, 12, 16, 20))


def default_epsilons(ball: Ball) -> tuple[float, ...]:
    """EPSILONS for l_inf; for l2 the same multiples of the ball's own radius as those are of 10/255."""
    return EPSILONS if ball.p == LINF else tuple(epsilon * 25.5 * ball.radius for epsilon in EPSILONS)


@dataclass(frozen=True)
class SweepRow:
    """Fooling rate of one attack at one ``epsilon`` (radius of the pattern's ball, units of [0,1])."""

    attack: str
    epsilon: float
    fooling_rate: Rate


def epsilon_sweep(
    classifier: Classifier,
    perturbation: Perturbation,
    images: ImageSet,
    generator: torch.Generator,
    epsilons: Sequence[float] | None = None,
    batch_size: int = 32,
) -> Iterator[SweepRow]:
    """Three rows an epsilon: the universal pattern scaled to it, random signs of the same norm, and FGSM for each image.

    For l2 the per-image attack is the fast gradient step of that l2 length. Clean predictions and gradients are computed
    once, since neither depends on epsilon.
    """
    unit = Ball(perturbation.ball.p, 1.0)
    directions, labels = [], []
    for batch in images.batches(batch_size):
        with torch.inference_mode():
            labels.append(classifier(batch).argmax(dim=1))
        gradient = loss_gradient(classifier, batch, labels[-1].clone())
        directions.append(unit.fill(gradient).half())  # of unit size first: 16 bits would turn small gradients into zeros
    clean = torch.cat(labels)
    signs = unit.random_signs(tuple(perturbation.pattern.shape), generator)
    for epsilon in epsilons or default_epsilons(perturbation.ball):
        ball = Ball(perturbation.ball.p, epsilon)
        pattern = perturbation.scaled_to(epsilon).pattern
        yield SweepRow(UNIVERSAL, epsilon, _rate(classifier, images, clean, [pattern] * len(labels), batch_size))
        yield SweepRow(RANDOM, epsilon, _rate(classifier, images, clean, [signs * epsilon] * len(labels), batch_size))
        steps = [ball.fill(direction.float()) for direction in directions]
        yield SweepRow(SINGLE, epsilon, _rate(classifier, images, clean, steps, batch_size))


@torch.inference_mode()
def _rate(classifier: Classifier, images: ImageSet, clean: Tensor, changes: list[Tensor], batch_size: int) -> Rate:
    batches = zip(images.batches(batch_size), changes, strict=True)
    labels = [classifier((batch + change).clamp(0, 1)).argmax(dim=1) for batch, change in batches]
    return fooling_rate(clean, torch.cat(labels))


@dataclass(frozen=True)
class PhotoRow:
    """Probabilities of two labels for one photograph at one ``epsilon``."""

    epsilon: float
    clean_label: str
    clean_probability: float
    new_label: str
    new_probability: float
    predicted: str


@torch.inference_mode()
def photo_sweep(
    classifier: Classifier, perturbation: Perturbation, image: Tensor, epsilons: Sequence[float] | None = None
) -> list[PhotoRow]:
    """The clean label and the label at the pattern's own epsilon (or the strongest rival if that is the same), per epsilon.

    ``image`` is (1,3,H,W); all epsilons go through the network in one batch.
    """
    epsilons = epsilons or default_epsilons(perturbation.ball)
    steps = torch.cat([perturbation.scaled_to(epsilon).apply(image) for epsilon in epsilons])
    probabilities = classifier(steps).softmax(dim=1)
    clean = int(classifier(image).argmax())
    at_own = classifier(perturbation.apply(image))[0].clone()
    new = int(at_own.argmax())
    if new == clean:
        at_own[clean] = -torch.inf
        new = int(at_own.argmax())
    names = classifier.labels
    return [
        PhotoRow(epsilon, names[clean], float(p[clean]), names[new], float(p[new]), names[int(p.argmax())])
        for epsilon, p in zip(epsilons, probabilities, strict=True)
    ]
