from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from uap_core.crafting.clipped_ce import ClippedCE, clipped_ce_loss
from uap_core.crafting.loop import Descent
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

SIDE = 8
VALUES = 3 * SIDE * SIDE


def test_the_loss_is_minus_the_mean_clipped_cross_entropy_of_the_clean_predictions() -> None:
    clean = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 0.0]])
    other = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 50.0]])
    assert float(clipped_ce_loss(clean, other)) == pytest.approx(-(math.log(2) + math.log(1 + math.exp(3)) + 9) / 3)


@pytest.fixture(scope="module")
def direction() -> Tensor:
    """Balanced signs, so that a grey picture has no component along it."""
    order = torch.randperm(VALUES, generator=torch.Generator().manual_seed(0))
    return torch.where(order < VALUES // 2, 1.0, -1.0)


@pytest.fixture(scope="module")
def network(linear, direction: Tensor) -> Classifier:
    """Class 0 until the picture has more than 3 along ``direction`` or against it."""
    return linear(torch.stack([torch.zeros(VALUES), direction, -direction]), torch.tensor([3.0, 0.0, 0.0]))


@pytest.mark.parametrize(
    ("ball", "fools"), [(Ball("linf", 10 / 255), 1.0), (Ball("linf", 2 / 255), 0.0), (Ball("l2", 0.5), 1.0)]
)
def test_finds_the_direction_that_fools_everything(network: Classifier, direction: Tensor, ball: Ball, fools: float) -> None:
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(118, 138, (40, 3, SIDE, SIDE), generator=generator, dtype=torch.uint8)
    with torch.no_grad():
        margins = (images.float() / 255).flatten(1) @ direction
    assert margins.abs().max() < 1.5  # 10/255 along the direction adds 7.5, 2/255 adds 1.5
    *_, last = ClippedCE(Descent(steps=30, batch_size=8)).craft(network, images, ball, generator)
    assert last.done
    assert last.fooling_rate.value == fools
    cosine = torch.nn.functional.cosine_similarity(last.perturbation.flatten(), direction, dim=0)
    assert cosine.abs() > 0.95


def test_beats_random_signs_on_the_embedded_network(classifier: Classifier) -> None:
    """A loss with its sign turned round would leave the predictions where they are."""
    generator = torch.Generator().manual_seed(0)
    images = torch.nn.functional.interpolate(torch.rand(24, 3, 8, 8, generator=generator), 64, mode="bilinear")
    images = (images * 255).round().byte()
    ball = Ball("linf", 10 / 255)
    *_, last = ClippedCE(Descent(steps=20, batch_size=12)).craft(classifier, images, ball, generator)
    with torch.no_grad():
        clean = classifier(images.float() / 255)
        crafted, noisy = (
            clipped_ce_loss(clean, classifier((images.float() / 255 + v).clamp(0, 1)))
            for v in (last.perturbation, ball.random_signs((3, 64, 64), generator))
        )
    assert crafted < noisy - 0.1
