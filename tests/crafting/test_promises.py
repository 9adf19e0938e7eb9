"""What the methods' small print promises: clips, orders, chunks, passes, clocks and when a run may end."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest
import torch
from clocks import Clock
from toys import convolutional_network, pictures, seeded, smooth_network

from uap_core.attacks.criterion import Criterion
from uap_core.crafting import run, sv_uap
from uap_core.crafting.problem import as_bytes
from uap_core.crafting.sga import SGA
from uap_core.crafting.spgd import SPGD, clipped_cross_entropy
from uap_core.crafting.state import State
from uap_core.crafting.sv_uap import Singular
from uap_core.norms import Ball

BALL = Ball("linf", 0.15)


def test_the_cross_entropy_of_one_image_counts_nine_at_most() -> None:
    clean = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert clipped_cross_entropy(clean, torch.tensor([[0.0, 50.0], [0.0, 8.0]])).tolist() == pytest.approx(
        [-9, -8.0003], abs=1e-3
    )


def test_each_pass_of_sga_goes_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []
    gradient = SGA.counted_gradient

    def watched(self, problem, state, mini, u):
        seen.append(mini.tolist())
        return gradient(self, problem, state, mini, u)

    monkeypatch.setattr(SGA, "counted_gradient", watched)
    method = SGA(budget=24, batch_size=12, mini_batch=3, passes=2)
    list(method.craft(smooth_network(0), pictures(12), BALL, seeded(0)))
    one, two = (list(chain(*seen[start : start + 4])) for start in (0, 4))
    assert sorted(one) == sorted(two) == list(range(12))
    assert one != two


def test_a_singular_vector_does_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for chunk in (16, 5):
        monkeypatch.setattr(sv_uap, "CHUNK", chunk)
        ball, method = Ball("l2", 1.0), Singular(budget=48, batch_size=12, stride=1)
        *_, last = method.craft(convolutional_network(), pictures(12), ball, seeded(0))
        found.append(last.perturbation)
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-5)


def test_floats_become_the_nearest_level() -> None:
    grey = torch.tensor([99.7, 100.2, 254.6, 0.4]).view(4, 1, 1, 1).expand(4, 3, 1, 1) / 255
    assert as_bytes(grey)[:, 0, 0, 0].tolist() == [100, 100, 255, 0]


def test_every_image_comes_up_equally_often_where_passes_do_not_divide() -> None:
    state = State(torch.zeros(3, 1, 1), seeded(0))
    batches = [state.next_batch(10, 4).tolist() for _ in range(15)]
    assert all(len(set(batch)) == 4 for batch in batches)
    for passes in (1, 2, 3, 4, 5, 6):
        first = list(chain(*batches))[: 10 * passes]
        assert all(first.count(image) == passes for image in range(10)), passes


def test_a_run_that_goes_on_counts_the_seconds_before_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, path = Clock(), tmp_path / "run.state"
    monkeypatch.setattr(run, "time", clock)
    monkeypatch.setattr(SPGD, "step", clock.taking(3, SPGD.step))
    method = SPGD(budget=48, batch_size=8, interval=8)

    def begun():
        return method.craft(smooth_network(0), pictures(8), BALL, seeded(0), checkpoint=path)

    steps = begun()
    for _ in range(3):
        next(steps)
    steps.close()
    clock.sleep(10_000)
    *_, last = begun()
    assert last.seconds == 18


def test_a_run_with_a_target_ends_when_enough_reach_it_however_few_are_fooled() -> None:
    """Most of these pictures are of the target class already, so that few can change at all."""
    method = SPGD(budget=800, batch_size=16, interval=16, delta=0.3, rate=0.05)
    goal = Criterion.into(4)
    *_, last = method.craft(smooth_network(1), pictures(16), Ball("linf", 0.1), seeded(0), criterion=goal)
    assert last.target_rate.value >= 0.7 > 0.3 > last.fooling_rate.value
    assert last.image_gradients < 400
