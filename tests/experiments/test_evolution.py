from __future__ import annotations

import pytest
import torch
from clocks import Clock
from toys import seeded, smooth_network, toy_set

from uap_core.attacks.criterion import Criterion
from uap_core.crafting import run
from uap_core.crafting.default import Default
from uap_core.crafting.df_uap import Margin
from uap_core.crafting.problem import Problem
from uap_core.experiments import crafting_curve as room
from uap_core.experiments.crafting_curve import Watch, evolve, planned_points
from uap_core.metrics import Rate
from uap_core.norms import Ball

CRAFT, HELD_OUT = toy_set("craft", 20, 0), toy_set("held out", 30, 1)
BALL = Ball("linf", 20 / 255)
NETWORK = smooth_network(0)


ANY = Criterion()


def watch(criterion: Criterion = ANY) -> Watch:
    return Watch.over(NETWORK, HELD_OUT, criterion)


def test_points_are_dense_at_first_and_end_with_the_budget() -> None:
    assert planned_points(800, 4) == [50, 200, 450, 800]
    assert planned_points(2, 4)[0] == 1


def test_every_step_comes_and_the_planned_ones_are_measured() -> None:
    stages = list(evolve(Default(budget=64, batch_size=4), CRAFT, watch(), BALL, 0))
    assert [stage.progress.image_gradients for stage in stages] == [*range(4, 65, 4), 64, 64]
    measured = [stage.point.image_gradients for stage in stages if stage.point]
    assert measured == [4, 12, 16, 28, 36, 52, 64]
    assert [stage.progress.done for stage in stages] == [False] * 17 + [True]
    assert stages[-1].point
    assert stages[-2].point is None, "the final touch is measured, not the step before it"


def test_watching_changes_nothing_and_is_right() -> None:
    method = Default(budget=64, batch_size=4)
    *_, alone = method.craft(NETWORK, CRAFT.pixels, BALL, seeded(3))
    *_, last = evolve(method, CRAFT, watch(), BALL, 3)
    assert torch.equal(last.progress.perturbation, alone.perturbation)
    assert last.point
    assert last.point.aimed_at == last.point.fooled == Problem.pose([NETWORK], HELD_OUT.pixels, BALL).rate(alone.perturbation)


def test_a_target_is_measured_beside_the_fooling_rate() -> None:
    goal, ball = Criterion.into(1), Ball("linf", 80 / 255)
    *_, last = evolve(Margin(budget=320, batch_size=8), CRAFT, watch(goal), ball, 0)
    assert last.point
    problem = Problem.pose([NETWORK], HELD_OUT.pixels, ball, goal)
    assert last.point.aimed_at == last.point.reached == problem.rate(last.progress.perturbation)
    assert last.point.fooled == problem.held_to(None, last.progress.perturbation)
    assert last.point.aimed_at.value > 0.5
    assert last.point.aimed_at.total == 27, "three were of the class before"


def test_clean_images_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    predict = room.predict
    monkeypatch.setattr(room, "predict", lambda *given: looked.append(1) or predict(*given))
    stages = list(evolve(Default(budget=64, batch_size=4), CRAFT, watch(), BALL, 0))
    assert sum(stage.point is not None for stage in stages) > 3
    assert len(looked) == 1


def test_seconds_are_those_of_crafting(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    for module in (room, run):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(Default, "step", clock.taking(3, Default.step))
    stages = []
    for stage in evolve(Default(budget=32, batch_size=4), CRAFT, watch(), BALL, 0):
        stages.append(stage)
        clock.sleep(100)  # a page that draws
    assert [stage.progress.seconds for stage in stages[:8]] == [3 * step for step in range(1, 9)]
    assert stages[-1].progress.seconds == 24


def test_nothing_fools_nobody() -> None:
    assert watch().under(torch.zeros(3, 8, 8)).fooled == Rate(0, 30)


def test_some_of_the_craft_set_is_looked_at_beside_it_and_ends_the_run_where_enough_is_reached() -> None:
    known, method = Watch.over(NETWORK, CRAFT, ANY), Default(budget=64, batch_size=4)
    *_, plain = evolve(method, CRAFT, watch(), BALL, 0)
    stages = list(evolve(method, CRAFT, watch(), BALL, 0, known))
    assert torch.equal(stages[-1].progress.perturbation, plain.progress.perturbation), "looking changes nothing"
    both = [(stage.point, stage.craft_point) for stage in stages if stage.point]
    assert all(beside and beside.image_gradients == point.image_gradients for point, beside in both if point)
    problem = Problem.pose([NETWORK], CRAFT.pixels, BALL)
    reached = {}
    for stage in stages:
        if stage.craft_point:
            assert stage.craft_point.fooled == problem.rate(stage.progress.perturbation)
            reached[stage.progress.image_gradients] = stage.craft_point.fooled.value
    wanted = sorted(reached.values())[len(reached) // 2]
    first = next(spent for spent, rate in reached.items() if rate >= wanted)
    *before, last = evolve(method, CRAFT, watch(), BALL, 0, known, delta=1 - wanted)
    assert last.reached
    assert last.progress.image_gradients == first < 64
    assert not any(stage.reached for stage in before)
    assert not any(stage.reached for stage in stages), "without a delta it goes to the end"
