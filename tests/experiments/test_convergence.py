from __future__ import annotations

import pytest
from clocks import Clock
from toys import seeded, smooth_network, toy_set

from uap_core.crafting import problem, run
from uap_core.crafting.deepfool_uap import DeepFoolUAP
from uap_core.crafting.default import Default
from uap_core.crafting.problem import Problem
from uap_core.crafting.spgd import SPGD
from uap_core.experiments import convergence as room
from uap_core.experiments.convergence import convergence
from uap_core.norms import Ball

CRAFT, HELD_OUT = toy_set("craft", 20, 0), toy_set("held out", 30, 1)
BALL = Ball("linf", 20 / 255)
NETWORK = smooth_network(0)


def test_each_method_is_measured_when_a_point_is_passed_and_at_its_end() -> None:
    methods = {"default": Default(budget=64, batch_size=4), "spgd": SPGD(budget=64, batch_size=10)}
    rows = list(convergence(NETWORK, methods, CRAFT, HELD_OUT, BALL, 0, (4, 15, 32)))
    spent = {name: [row.image_gradients for row in rows if row.method == name] for name in methods}
    assert spent == {"default": [4, 16, 32, 64], "spgd": [10, 20, 40, 60]}
    *_, last = methods["spgd"].craft(NETWORK, CRAFT.pixels, BALL, seeded(0))
    assert rows[-1].held_out_rate == Problem.pose([NETWORK], HELD_OUT.pixels, BALL).rate(last.perturbation)


def test_a_method_that_ends_before_the_last_point_is_measured_there() -> None:
    rows = list(convergence(NETWORK, {"deepfool": DeepFoolUAP(passes=1)}, CRAFT, HELD_OUT, BALL, 0, (10**6,)))
    assert len(rows) == 1
    assert rows[0].held_out_rate.total == 30


def test_seconds_are_those_of_crafting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten steps of 3 s each, and measurements of 100 s, which do not count."""
    clock = Clock()
    for module in (room, run):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(problem, "predicted", clock.taking(100, problem.predicted))
    monkeypatch.setattr(Default, "step", clock.taking(3, Default.step))
    method = Default(budget=40, batch_size=4)
    rows = list(convergence(NETWORK, {"default": method}, CRAFT, HELD_OUT, BALL, 0, (4, 12, 24, 32)))
    assert [row.seconds for row in rows[:-1]] == [3, 9, 18, 24]
    *_, alone = method.craft(NETWORK, CRAFT.pixels, BALL, seeded(0))
    assert rows[-1].seconds == alone.seconds, "with what the run itself looks at, and no more"
