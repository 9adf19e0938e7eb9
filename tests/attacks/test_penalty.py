from __future__ import annotations

import pytest
import torch
from torch import Tensor
from toys import SIDE, VALUES, seeded

from uap_core.attacks import first_c
from uap_core.attacks.base import Attack
from uap_core.attacks.ce_penalty import Penalty
from uap_core.attacks.criterion import Criterion
from uap_core.attacks.cw_l2 import CarliniWagner
from uap_core.attacks.lbfgs import LBFGS
from uap_core.models.classifier import Classifier


def inner(count: int) -> Tensor:
    """Far enough from 0 and 1 that the box never binds."""
    return torch.rand(count, 3, SIDE, SIDE, generator=seeded(1)) * 0.4 + 0.3


def two_classes(linear, scale: float) -> tuple[Classifier, Tensor, Tensor, Tensor]:
    """A network, pictures, targets, and the distances to the boundary."""
    weight = torch.randn(2, VALUES, generator=seeded(0)) * scale
    network, x = linear(weight), inner(6)
    logits = network(x)
    distance = (logits[:, 0] - logits[:, 1]).abs() / (weight[0] - weight[1]).norm()
    return network, x, logits.argmin(dim=1), distance


@pytest.mark.parametrize(
    ("attack", "scale", "factor"),
    [(Penalty(), 0.5, 1.05), (Penalty(), 5.0, 1.05), (LBFGS(), 0.5, 1.4), (LBFGS(12, 25), 0.5, 1.3), (LBFGS(), 5.0, 1.05)],
    ids=["penalty", "penalty where sure", "lbfgs", "lbfgs with more constants", "lbfgs where sure"],
)
def test_it_ends_close_to_the_nearest_point_of_the_boundary(linear, attack: Attack, scale: float, factor: float) -> None:
    """The surer the network, the closer: cross-entropy pulls about a logit beyond the boundary."""
    network, x, target, distance = two_classes(linear, scale)
    result = attack(network, x, target, targeted=True)
    assert result.success.all()
    assert (result.l2 >= distance * 0.999).all()
    assert (result.l2 <= distance * factor).all(), result.l2 / distance


def test_the_loss_pulls_on_beyond_the_boundary_where_the_hinge_stops(linear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_c, "BEYOND", 20.0)  # a c that is too large
    network, x, target, _ = two_classes(linear, 0.5)
    shown: list[Tensor] = []
    network.network.register_forward_pre_hook(lambda _, given: shown.append(given[0].detach().clone()))

    def last_gap(attack: Attack) -> float:
        attack(network, x[:1], target[:1], targeted=True)
        end = shown[-1]
        return float(Criterion(target[:1], True).gap(network(end)))

    assert last_gap(Penalty(search_steps=1, iterations=150)) < -1
    assert abs(last_gap(CarliniWagner(search_steps=1, iterations=150))) < 0.4
