from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from toys import SIDE, VALUES, seeded

from uap_core.attacks.criterion import Criterion
from uap_core.attacks.cw_general import Hinge
from uap_core.attacks.cw_linf import CarliniWagnerLinf
from uap_core.models.classifier import Classifier


def case(linear, scale: float) -> tuple[Classifier, Tensor, Tensor, Tensor]:
    """A network, pictures, targets, and the l_inf distances to the boundary."""
    weight = torch.randn(2, VALUES, generator=seeded(0)) * scale
    network, x = linear(weight), torch.rand(6, 3, SIDE, SIDE, generator=seeded(1)) * 0.4 + 0.3
    logits = network(x)
    distance = (logits[:, 0] - logits[:, 1]).abs() / (weight[0] - weight[1]).abs().sum()
    return network, x, logits.argmin(dim=1), distance


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("scale", [0.05, 0.5, 5.0])
def test_it_ends_close_to_the_distance(linear, scale: float, targeted: bool) -> None:
    network, x, target, distance = case(linear, scale)
    result = CarliniWagnerLinf()(network, x, target if targeted else 1 - target, targeted)
    assert result.success.all()
    assert (result.linf >= distance * 0.999).all()
    assert (result.linf <= distance * 1.25).all(), result.linf / distance


def test_it_comes_closer_than_the_largest_change_alone(linear) -> None:
    network, x, target, _ = case(linear, 0.5)
    result, largest = CarliniWagnerLinf()(network, x, target, True), Hinge(math.inf, False)(network, x, target, True)
    assert (result.linf < largest.linf).all()


def test_black_and_white_pictures_are_not_given_up_while_they_come_nearer(linear) -> None:
    network, x, _, _ = case(linear, 0.5)
    x = x.round()
    target = network(x).argmin(dim=1)
    result = CarliniWagnerLinf()(network, x, target, True)
    assert result.success.all()


@pytest.mark.parametrize("kappa", [1.0, 5.0])
def test_confidence_is_kept(linear, kappa: float) -> None:
    network, x, target, _ = case(linear, 0.5)
    result = CarliniWagnerLinf(confidence=kappa)(network, x, target, True)
    assert result.success.all()
    assert (Criterion(target, True).gap(network(result.adversarial)) <= -kappa + 1e-4).all()


def test_what_has_no_slope_is_given_up_soon(linear) -> None:
    network = linear(torch.zeros(2, VALUES), torch.tensor([1.0, 0.0]))
    result = CarliniWagnerLinf(20, 20)(network, torch.full((2, 3, SIDE, SIDE), 0.5), torch.ones(2, dtype=torch.long), True)
    assert not result.success.any()
    assert (result.gradients <= 60).all()
