from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from toys import SIDE, VALUES, seeded

from uap_core.attacks.cw_general import Hinge
from uap_core.attacks.menu import MENU
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier


def case(linear, scale: float = 0.5) -> tuple[Classifier, Tensor, Tensor, Tensor, Tensor]:
    """A network, pictures, targets, the gaps, and the normal of the boundary."""
    weight = torch.randn(2, VALUES, generator=seeded(0)) * scale
    network, x = linear(weight), torch.rand(6, 3, SIDE, SIDE, generator=seeded(1)) * 0.4 + 0.3
    logits = network(x)
    return network, x, logits.argmin(dim=1), (logits[:, 0] - logits[:, 1]).abs(), weight[0] - weight[1]


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize(("on_probabilities", "factor"), [(False, 1.1), (True, 1.25)])
def test_in_l2_it_ends_close_to_the_distance(linear, targeted: bool, on_probabilities: bool, factor: float) -> None:
    network, x, target, gap, normal = case(linear)
    result = Hinge(2.0, on_probabilities)(network, x, target if targeted else 1 - target, targeted)
    distance = gap / normal.norm()
    assert result.success.all()
    assert (result.l2 >= distance * 0.999).all()
    assert (result.l2 <= distance * factor).all(), result.l2 / distance


@pytest.mark.parametrize("on_probabilities", [False, True])
def test_in_linf_it_comes_within_twice_the_distance(linear, on_probabilities: bool) -> None:
    """No closer: the norm has a slope at the largest change alone."""
    network, x, target, gap, normal = case(linear)
    result = Hinge(math.inf, on_probabilities)(network, x, target, True)
    distance = gap / normal.abs().sum()
    assert result.success.all()
    assert (result.linf >= distance * 0.999).all()
    assert (result.linf <= distance * 2).all(), result.linf / distance


def test_each_norm_is_smallest_where_it_is_asked_for(linear) -> None:
    network, x, target, _, _ = case(linear)
    results = {p: Hinge(p, False)(network, x, target, True) for p in (1.0, 2.0, math.inf)}
    sums = {p: (result.adversarial - x).abs().sum(dim=(1, 2, 3)) for p, result in results.items()}
    assert sums[1.0].mean() < sums[2.0].mean()  # one by one the last steps decide
    assert (results[2.0].l2 < results[1.0].l2).all()
    assert (results[2.0].l2 < results[math.inf].l2).all()
    assert (results[math.inf].linf < results[2.0].linf).all()


def test_where_a_network_is_sure_its_probabilities_have_no_slope_and_its_logits_do(linear) -> None:
    network, x, target, gap, normal = case(linear, scale=20.0)
    assert (gap > 50).any()
    on_probabilities, on_logits = (Hinge(2.0, which)(network, x, target, True) for which in (True, False))
    assert not on_probabilities.success.all()
    assert on_probabilities.adversarial.isfinite().all()
    assert on_logits.success.all()
    assert (on_logits.l2 <= 1.1 * gap / normal.norm()).all()


@pytest.mark.parametrize(("p", "dual"), [(1.0, math.inf), (1.5, 3.0), (2.0, 2.0), (3.0, 1.5), (math.inf, 1.0)])
def test_the_first_constant_makes_the_way_cheaper_than_staying(linear, p: float, dual: float) -> None:
    """By a factor of two; on logits it is two over the dual norm, wherever the boundary is."""
    network, x, target, _, normal = case(linear)
    result = Hinge(p, False, search_steps=1, iterations=1)(network, x, target, True)
    constants = torch.tensor([trial.constant for trial in result.trials])
    torch.testing.assert_close(constants, (2 / normal.norm(p=dual)).expand(len(x)))


def test_the_norm_that_is_asked_for_goes_through_the_menu() -> None:
    assert [MENU["hinge"].build(0.1, 1, False, p).p for p in (1.0, math.inf)] == [1.0, math.inf]
    assert [key for key, item in MENU.items() if item.any_norm] == ["hinge"]


def test_a_norm_between_ends_close_to_its_distance(linear) -> None:
    network, x, target, gap, normal = case(linear)
    result = Hinge(3.0, False)(network, x, target, True)
    size = (result.adversarial - x).flatten(1).norm(p=3, dim=1)
    assert result.success.all()
    assert (size >= 0.999 * gap / normal.norm(p=1.5)).all()
    assert (size <= 1.3 * gap / normal.norm(p=1.5)).all(), size / (gap / normal.norm(p=1.5))


@pytest.mark.parametrize("p", [0.0, 0.99, -1.0, -math.inf, math.nan])
def test_what_is_no_norm_is_refused(p: float) -> None:
    with pytest.raises(SettingError, match=r"p from 1|must be finite"):
        Hinge(p)
