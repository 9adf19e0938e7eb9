from __future__ import annotations

import math

import pytest
import torch
from toys import pictures, seeded, smooth_network

from uap_core.attacks.bim import PGD
from uap_core.attacks.criterion import Criterion, least_likely, runner_up
from uap_core.attacks.pixels import between, unit_interval
from uap_core.crafting.spgd import SPGD
from uap_core.errors import SettingError
from uap_core.norms import Ball

LOGITS = torch.tensor([[-5.0, -9.0, -7.0], [3.0, 1.0, 2.0]])


def test_the_gap_leaves_the_class_itself_out() -> None:
    labels = torch.tensor([1, 0])
    assert Criterion(labels, True).gap(LOGITS).tolist() == [4.0, -1.0]
    assert Criterion(labels, False).gap(LOGITS).tolist() == [-4.0, 1.0]


def test_it_is_reached_where_the_gap_is_below_zero() -> None:
    labels = torch.tensor([1, 0])
    assert Criterion(labels, True).reached(LOGITS).tolist() == [False, True]
    assert Criterion(labels, False).reached(LOGITS).tolist() == [True, False]
    logits = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    for targeted in (False, True):
        criterion = Criterion(torch.arange(50) % 4, targeted)
        assert torch.equal(criterion.reached(logits), criterion.gap(logits) < 0)


def test_the_loss_is_the_cross_entropy_and_climbs_towards_success() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)]])
    label = torch.tensor([0])
    torch.testing.assert_close(Criterion(label, True).loss(logits), torch.tensor([-math.log(4.0)]))
    torch.testing.assert_close(Criterion(label, False).loss(logits), torch.tensor([math.log(4.0)]))


def test_some_of_the_images() -> None:
    criterion = Criterion(torch.tensor([4, 5, 6]), True).of(torch.tensor([2, 0]))
    assert criterion.labels.tolist() == [6, 4]
    assert criterion.targeted


def test_labels_are_stated_for_all_images_for_each_or_taken_from_the_network() -> None:
    clean = torch.tensor([2, 0])
    assert Criterion().for_images(clean).y.tolist() == [2, 0]
    assert Criterion.into(1).for_images(clean).y.tolist() == [1, 1]
    assert Criterion(torch.tensor([1, 2])).for_images(clean).y.tolist() == [1, 2]
    assert (Criterion.into(1).target, Criterion(1).target, Criterion().target) == (1, None, None)
    assert Criterion.into(torch.tensor([1, 2])).target is None, "there is not one for all"
    with pytest.raises(SettingError, match="no label for each image"):
        Criterion().reached(LOGITS)
    with pytest.raises(SettingError, match="needs a target class"):
        Criterion(targeted=True)


@pytest.mark.parametrize("targeted", [False, True])
def test_an_attack_takes_a_criterion_as_it_takes_labels(targeted: bool) -> None:
    network, x = smooth_network(0), pictures(4).float() / 255
    clean, attack = network(x).argmax(dim=1), PGD(0.1)
    labels = torch.full_like(clean, 2) if targeted else clean
    expected = attack(network, x, labels, targeted)
    for criterion in (Criterion(labels, targeted), Criterion.into(2) if targeted else Criterion()):
        assert torch.equal(attack(network, x, criterion).adversarial, expected.adversarial)
    assert len(attack(network, x[:0], Criterion()).success) == 0
    with pytest.raises(SettingError, match="classes 0 to 4"):
        attack(network, x, Criterion.into(5))


def test_a_pattern_has_one_criterion_for_all_images() -> None:
    network, ball = smooth_network(0), Ball("linf", 0.1)
    for criterion in (Criterion.into(torch.tensor([1, 2])), Criterion(torch.tensor([1, 2])), Criterion(1)):
        with pytest.raises(SettingError, match="one criterion for all images"):
            next(SPGD().craft(network, pictures(2), ball, seeded(0), criterion=criterion))


def test_targets_for_those_who_name_none() -> None:
    assert least_likely(LOGITS).tolist() == [1, 1]
    assert runner_up(LOGITS).tolist() == [2, 2]


def test_the_nearest_point_within_epsilon_and_the_picture() -> None:
    x = torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1)
    bounds = unit_interval(x, 0.25)
    assert bounds[0].flatten().tolist() == [0.0, 0.25, 0.75]
    assert bounds[1].flatten().tolist() == [0.25, 0.75, 1.0]
    moved = torch.tensor([-1.0, 0.6, 0.5]).view(1, 3, 1, 1)
    torch.testing.assert_close(between(moved, bounds).flatten(), torch.tensor([0.0, 0.6, 0.75]))
