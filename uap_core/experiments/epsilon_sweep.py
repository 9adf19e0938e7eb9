"""The epsilon sweep: how many images are fooled as the bound grows, and what happens to one photograph on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import torch
from torch import Tensor, nn

from uap_core.checks import check_number
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.models.gradients import loss_gradient
from uap_core.models.wrapping import as_classifier
from uap_core.norms import LINF, Ball, of_levels
from uap_core.perturbations.perturbation import Perturbation, apply

UNIVERSAL, RANDOM, SINGLE = "universal", "random_signs", "fgsm"
NAMES = {UNIVERSAL: "universal", RANDOM: "random noise", SINGLE: "an attack made for each picture (FGSM)"}
EPSILONS = tuple(of_levels(level) for level in (0, 1, 2, 4, 6, 8, 10, 12, 16, 20))


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
    classifier: nn.Module,
    perturbation: Perturbation,
    images: ImageSet | Tensor,
    generator: torch.Generator,
    epsilons: Sequence[float] | None = None,
    batch_size: int = 32,
) -> Iterator[SweepRow]:
    """Measure how many images are fooled as epsilon grows: the pattern scaled to it, random signs, FGSM for each image.

    For l2 the per-image attack is the fast gradient step of that l2 length. Clean predictions and gradients are computed
    once, since neither depends on epsilon; at epsilon 0 they are the answer.

    Args:
        classifier: a ``Classifier`` or any module that maps pixels in [0,1] to logits.
        perturbation: of the network's size.
        images: a set that it was not crafted on; or a tensor, uint8 (N,3,H,W) or floats in [0,1].
        generator: draws the random signs.
        epsilons: radii in units of [0,1]; 0 to 20/255, or as many of an l2 pattern's own, when left out.
        batch_size: images that go through the network at once.

    Raises:
        PerturbationError: the perturbation has another size than the images.
        DatasetError: no images, or images that do not fit the network.
        SettingError: an epsilon below 0.

    Example:
        >>> import torch, uap_core
        >>> network, v = uap_core.load_model("resnet64"), uap_core.load_perturbation("resnet64-linf10")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=16)
        >>> rows = list(uap_core.epsilon_sweep(network, v, images, torch.Generator().manual_seed(0), (0, 10 / 255)))
        >>> rows[0].fooling_rate.value, rows[1].fooling_rate.value > 0.5
        (0.0, True)
    """
    ball, epsilons = perturbation.ball, epsilons or default_epsilons(perturbation.ball)
    for epsilon in epsilons:
        check_number("epsilon", epsilon, least=0)
    classifier, images = as_classifier(classifier), ImageSet.of(images)
    if not len(images):
        raise DatasetError("There are no images to measure on.")
    classifier.check_takes(images.pixels)
    classifier.learn_classes(images.pixels)
    unit = Ball(ball.p, 1.0)
    clean = predict(classifier, images.batches(batch_size))
    signs = unit.random_signs(tuple(perturbation.pattern.shape), generator)
    for epsilon in epsilons:
        pattern = perturbation.scaled_to(epsilon).pattern
        yield SweepRow(UNIVERSAL, epsilon, _rate(classifier, images, clean, epsilon, repeat(pattern), batch_size))
    for epsilon in epsilons:
        yield SweepRow(RANDOM, epsilon, _rate(classifier, images, clean, epsilon, repeat(signs * epsilon), batch_size))
    directions = [
        unit.fill(loss_gradient(classifier, batch, labels.clone())).half()  # in 16 bits tiny gradients are 0: unit size first
        for batch, labels in zip(images.batches(batch_size), clean.split(batch_size), strict=True)
    ]
    for epsilon in epsilons:
        steps = (Ball(ball.p, epsilon).fill(direction.float()) for direction in directions)
        yield SweepRow(SINGLE, epsilon, _rate(classifier, images, clean, epsilon, steps, batch_size))


def _rate(
    classifier: Classifier, images: ImageSet, clean: Tensor, epsilon: float, changes: Iterable[Tensor], batch_size: int
) -> Rate:
    if not epsilon:
        return Rate(0, len(clean))
    batches = zip(images.batches(batch_size), changes, strict=False)
    return fooling_rate(clean, predict(classifier, (apply(batch, change) for batch, change in batches)))


@dataclass(frozen=True)
class PhotoRow:
    """Probabilities of two labels for one photograph at one ``epsilon``, and of whichever label leads there."""

    epsilon: float
    clean_label: str
    clean_probability: float
    new_label: str
    new_probability: float
    predicted: str
    predicted_probability: float


@torch.inference_mode()
def photo_sweep(
    classifier: Classifier, perturbation: Perturbation, image: Tensor, epsilons: Sequence[float] | None = None
) -> list[PhotoRow]:
    """The clean label and the label at the pattern's own epsilon (or the strongest rival if that is the same), per epsilon.

    ``image`` is (1,3,H,W); all epsilons go through the network in one batch.
    """
    epsilons = epsilons or default_epsilons(perturbation.ball)
    steps = torch.cat([perturbation.scaled_to(epsilon).apply(image) for epsilon in epsilons])
    return photo_rows(classifier, image, steps, perturbation.apply(image), epsilons)


@torch.inference_mode()
def photo_rows(classifier: Classifier, image: Tensor, steps: Tensor, own: Tensor, epsilons: Sequence[float]) -> list[PhotoRow]:
    """``photo_sweep`` for pictures that are there: ``steps`` (n,3,H,W) at the ``epsilons``, and ``own`` (1,3,H,W) at the
    pattern's own."""
    probabilities = classifier(steps).softmax(dim=1)
    clean = int(classifier(image).argmax())
    at_own = classifier(own)[0].clone()
    new = int(at_own.argmax())
    if new == clean:
        at_own[clean] = -torch.inf
        new = int(at_own.argmax())
    names = classifier.labels
    return [
        PhotoRow(epsilon, names[clean], float(p[clean]), names[new], float(p[new]), names[int(p.argmax())], float(p.max()))
        for epsilon, p in zip(epsilons, probabilities, strict=True)
    ]
