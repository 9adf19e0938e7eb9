from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor
from toys import SIDE, VALUES, pictures, seeded

from uap_core.attacks.criterion import Criterion
from uap_core.attacks.cw_l2 import AdamPerImage, patience_of
from uap_core.attacks.first_c import linear_guess
from uap_core.attacks.least_c import ScaleSearch, search
from uap_core.attacks.pixels import l2_norm, linf_norm, squared_l2
from uap_core.attacks.run import AttackRun


def run_of(linear, weight: Tensor, count: int = 2) -> AttackRun:
    return AttackRun(linear(weight), pictures(count).float() / 255, Criterion(torch.ones(count, dtype=torch.long), True))


def identity(w: Tensor, which: Tensor) -> Tensor:
    return w


def test_constants_on_a_scale_fall_tenfold_too_until_one_fails() -> None:
    constants = ScaleSearch(torch.tensor([1.0]))
    seen = [float(constants.value)]
    for found in (True, True, False, True):
        constants.learn(torch.tensor([found]), torch.tensor([0]))
        seen.append(float(constants.value))
    assert seen == pytest.approx([1.0, 0.1, 0.01, 10**-1.5, 10**-1.75])


def test_a_descent_that_leaves_the_successes_behind_does_not_hold(linear) -> None:
    """It starts at a success, and goes back to the picture, as a penalty that weighs nothing lets it."""
    weight = torch.zeros(2, VALUES)
    weight[1] = 1.0
    network = linear(weight)
    run = AttackRun(network, torch.zeros(1, 3, SIDE, SIDE), Criterion(torch.ones(1, dtype=torch.long), True))
    start = torch.full_like(run.images, 0.5)
    adam = AdamPerImage(run, start, lambda w, _: w - 0.2, torch.tensor([0.05]))
    list(adam.minimise(run.all, lambda change, _z, _which: squared_l2(change + 0.2), l2_norm, 60, 5))
    assert (bool(adam.found), bool(adam.holds)) == (True, False)


def test_constants_learn_about_the_images_they_are_told_of() -> None:
    first = torch.tensor([1.0, 2.0, 3.0])
    constants = ScaleSearch(first)
    constants.learn(torch.tensor([True, False]), torch.tensor([2, 0]))
    assert constants.value.tolist() == pytest.approx([10.0, 2.0, 0.3])
    assert first.tolist() == [1.0, 2.0, 3.0]


def test_it_finds_the_least_of_a_bowl(linear) -> None:
    run = run_of(linear, torch.zeros(2, VALUES))
    goal = torch.rand(2, 3, SIDE, SIDE, generator=seeded(0))
    adam = AdamPerImage(run, run.images.clone(), identity, torch.tensor([0.05, 0.05]))
    images = run.images
    steps = list(
        adam.minimise(run.all, lambda change, _, which: squared_l2(images[which] + change - goal[which]), l2_norm, 200, 200)
    )
    assert steps == list(range(1, 201))
    torch.testing.assert_close(adam.variable, goal, rtol=0, atol=0.01)


def test_an_image_which_stopped_improving_is_left_out(linear) -> None:
    run = run_of(linear, torch.zeros(2, VALUES), 3)
    adam = AdamPerImage(run, run.images.clone(), identity, torch.full((3,), 0.001))

    def objective(change: Tensor, logits: Tensor, which: Tensor) -> Tensor:
        return (change.flatten(1).sum(dim=1) + 1000) * (which != 1) + 1  # flat for image 1

    start = run.images.clone()
    assert len(list(adam.minimise(run.all, objective, l2_norm, 12, 4))) == 12
    assert run.gradients.tolist()[1] == 1 + 4
    assert run.gradients.tolist()[0] == run.gradients.tolist()[2] == 12
    assert torch.equal(adam.variable[1], start[1])
    assert (adam.variable[[0, 2]] < start[[0, 2]]).all()


def test_it_ends_when_nobody_improves(linear) -> None:
    run = run_of(linear, torch.zeros(2, VALUES))
    adam = AdamPerImage(run, run.images.clone(), identity, torch.full((2,), 0.01))
    steps = list(adam.minimise(run.all, lambda change, _, which: 0 * l2_norm(change) + 1, l2_norm, 50, 4))
    assert steps == [1, 2, 3, 4, 5]


def test_only_those_who_are_named_descend(linear) -> None:
    run = run_of(linear, torch.zeros(2, VALUES), 3)
    adam = AdamPerImage(run, run.images.clone(), identity, torch.full((3,), 0.01))
    list(adam.minimise(torch.tensor([2]), lambda change, _, which: change.flatten(1).sum(dim=1), l2_norm, 5, 5))
    assert run.gradients.tolist() == [0, 0, 5]
    assert torch.equal(adam.variable[:2], run.images[:2])


def test_steps_get_shorter(linear) -> None:
    run = run_of(linear, torch.zeros(2, VALUES), 1)
    shown: list[Tensor] = []

    def picture(w: Tensor, which: Tensor) -> Tensor:
        shown.append(w.detach().clone())
        return w

    adam = AdamPerImage(run, run.images.clone(), picture, torch.tensor([0.01]))
    list(adam.minimise(run.all, lambda change, _, which: change.flatten(1).sum(dim=1), l2_norm, 30, 30))
    lengths = [float((after - before).abs().mean()) for before, after in pairwise(shown)]
    assert lengths[0] == pytest.approx(0.01, rel=1e-3)
    assert all(after < before for before, after in pairwise(lengths[1:]))
    assert lengths[-1] < 0.1 * lengths[0]


def test_who_comes_nearer_by_a_hundredth_and_has_nothing_yet(linear) -> None:
    run = run_of(linear, torch.zeros(2, VALUES), 4)
    run.closest = torch.tensor([5.0, 9.8, 9.95, 5.0])
    run.size[3] = 1.0
    assert run.comes_nearer(torch.full((4,), 10.0)).tolist() == [True, True, False, False]
    assert run.comes_nearer(torch.full((4,), torch.inf)).tolist() == [True, True, True, False]


def test_the_guess_is_what_a_linear_network_needs(linear) -> None:
    """2 gap / ||w||^2 before the penalty, five times over; the distance is gap / ||w||."""
    weight = torch.randn(2, VALUES, generator=seeded(0))
    run = run_of(linear, weight)
    penalty = lambda logits, which: run.criterion.of(which).gap(logits)  # noqa: E731
    guess = linear_guess(run, penalty)
    gap, normal = run.criterion.gap(run.classifier(run.images)), weight[1] - weight[0]
    torch.testing.assert_close(guess.constant, 5 * 2 * gap.abs() / normal.square().sum())
    torch.testing.assert_close(guess.distance, gap.abs() / normal.norm())
    assert run.gradients.tolist() == run.queries.tolist() == [1, 1]


def test_the_guess_is_a_number_where_there_is_no_slope(linear) -> None:
    run = run_of(linear, torch.zeros(2, VALUES))
    guess = linear_guess(run, lambda logits, which: run.criterion.of(which).gap(logits))
    assert guess.constant.isfinite().all()
    assert guess.rate(run.images).isfinite().all()
    assert (guess.rate(run.images) > 0).all()


def test_the_search_says_what_share_is_done(linear) -> None:
    run = run_of(linear, torch.randn(2, VALUES, generator=seeded(0)))
    adam = AdamPerImage(run, run.images.clone(), identity, torch.full((2,), 0.01))
    penalty = lambda logits, which: run.criterion.of(which).gap(logits).clamp_min(0)  # noqa: E731
    shares = list(search(adam, ScaleSearch(torch.ones(2)), squared_l2, penalty, l2_norm, 3, 10))
    assert all(0 < before < after <= 1 for before, after in pairwise(shares))
    assert int(run.gradients.max()) == len(shares)


def test_norms_and_patience() -> None:
    change = torch.zeros(1, 3, SIDE, SIDE)
    change[0, 0, 0, :2] = torch.tensor([3.0, -4.0])
    assert (float(l2_norm(change)), float(squared_l2(change)), float(linf_norm(change))) == (5.0, 25.0, 4.0)
    assert [patience_of(n) for n in (4, 20, 60, 100)] == [5, 5, 15, 25]
    assert patience_of(60, 1.0) == 60
