"""What becomes of each held-out photograph as a pattern grows: one bit a photograph and strength, beside random noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from uap_core.norms import LINF, Ball, of_levels

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from uap_core.datasets.image_sets import ImageSet
    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation

CLEAN, PATTERN, NOISE = "clean", "universal", "random_signs"  # the last two as in epsilon_sweep
SHOWN = 300  # photographs: as many dots as one still tells apart
STEPS, LARGEST = 32, of_levels(32)  # of the page's slider, and where it ends for patterns of an l_inf ball


@dataclass(frozen=True)
class OutcomeRow:
    """One bit a photograph, in the order of the set, as hexadecimal digits (``bits_of`` reads them).

    ``attack`` is "universal" or "random_signs": a bit is set where the answer is another one than without it, at ``epsilon``
    (units of [0,1]). It is "clean" once: a bit is set where the network names the photograph rightly without any.
    """

    attack: str
    epsilon: float
    bits: str


def strengths(ball: Ball) -> list[float]:
    """The strengths that the page's slider passes, in units of [0,1]: 33, from 0."""
    top = LARGEST if ball.p == LINF else 2 * ball.radius
    return [top * step / STEPS for step in range(STEPS + 1)]


def shown_images(images: ImageSet) -> ImageSet:
    """At most ``SHOWN`` of a set: all of them in their order, or as many drawn from all classes, the same every time."""
    import torch

    if len(images) <= SHOWN:
        return images
    return images.shuffled(torch.Generator().manual_seed(0)).prefix(SHOWN)


def outcomes(
    classifier: Classifier, perturbation: Perturbation, images: ImageSet, generator: torch.Generator
) -> Iterator[OutcomeRow]:
    """Ask the network about each photograph at each strength of the pattern, and of random noise as strong.

    Args:
        classifier: the network.
        perturbation: of the network's size.
        images: a set that it was not crafted on, its folders the network's classes.
        generator: draws the noise, as in ``epsilon_sweep``.

    Raises:
        PerturbationError: the perturbation has another size than the images.
    """
    import torch

    from uap_core.metrics import predict
    from uap_core.perturbations.perturbation import apply

    ball = perturbation.ball
    signs = Ball(ball.p, 1.0).random_signs(tuple(perturbation.pattern.shape), generator)
    clean, truth = predict(classifier, images.batches()), images.truth(classifier.class_ids)
    yield OutcomeRow(CLEAN, 0.0, hexadecimal(torch.zeros(len(clean)) if truth is None else clean == truth))

    def changed(change: Tensor) -> str:
        return hexadecimal(predict(classifier, (apply(batch, change) for batch in images.batches())) != clean)

    for epsilon in strengths(ball)[1:]:
        yield OutcomeRow(PATTERN, epsilon, changed(perturbation.scaled_to(epsilon).pattern))
        yield OutcomeRow(NOISE, epsilon, changed(signs * epsilon))


def hexadecimal(bits: Tensor) -> str:
    """Bits (N,) as hexadecimal digits, the first photograph first."""
    return np.packbits(bits.numpy().astype(bool)).tobytes().hex()


def bits_of(row: OutcomeRow, count: int) -> np.ndarray:
    """The bits of a row as bool (count,)."""
    return np.unpackbits(np.frombuffer(bytes.fromhex(row.bits), np.uint8), count=count).astype(bool)
