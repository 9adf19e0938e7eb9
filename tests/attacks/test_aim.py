from __future__ import annotations

import math

import torch

from uap_core.attacks.criterion import Aim, between, least_likely, runner_up, unit_interval

LOGITS = torch.tensor([[-5.0, -9.0, -7.0], [3.0, 1.0, 2.0]])


def test_the_gap_leaves_the_class_itself_out() -> None:
    labels = torch.tensor([1, 0])
    assert Aim(labels, True).gap(LOGITS).tolist() == [4.0, -1.0]
    assert Aim(labels, False).gap(LOGITS).tolist() == [-4.0, 1.0]


def test_the_aim_is_reached_where_the_gap_is_below_zero() -> None:
    labels = torch.tensor([1, 0])
    assert Aim(labels, True).reached(LOGITS).tolist() == [False, True]
    assert Aim(labels, False).reached(LOGITS).tolist() == [True, False]
    logits = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    for targeted in (False, True):
        aim = Aim(torch.arange(50) % 4, targeted)
        assert torch.equal(aim.reached(logits), aim.gap(logits) < 0)


def test_the_loss_is_the_cross_entropy_and_falls_towards_the_aim() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)]])
    label = torch.tensor([0])
    torch.testing.assert_close(Aim(label, True).loss(logits), torch.tensor([math.log(4.0)]))
    torch.testing.assert_close(Aim(label, False).loss(logits), torch.tensor([-math.log(4.0)]))


def test_some_of_the_aims() -> None:
    aim = Aim(torch.tensor([4, 5, 6]), True).of(torch.tensor([2, 0]))
    assert aim.labels.tolist() == [6, 4]
    assert aim.targeted


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
