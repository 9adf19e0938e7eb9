from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from toys import convolutional_network, pictures, seeded, toy_set

from uap_core.crafting.base import Crafter
from uap_core.crafting.default import Default
from uap_core.crafting.problem import Problem
from uap_core.errors import DatasetError
from uap_core.experiments import ablations as room
from uap_core.experiments.ablations import AblationRow, Averaged, UnfooledOftener, ablations, mean_rates, variants
from uap_core.metrics import Rate
from uap_core.norms import Ball

BALL = Ball("linf", 20 / 255)
NETWORK = convolutional_network()
VARIANTS = {name: method for name, method in variants(400).items() if isinstance(method, Default)}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_runs_at_the_cost_of_ours_and_finds_another_pattern(name: str) -> None:
    """A variant that found the very pattern of ours would not have left out what it says."""
    images = pictures(30)
    ball = Ball("l2", 1.0) if "averaged" in name else BALL  # on so small a network the signs of a mean are those of its last

    def crafted(method: Crafter):
        *_, last = replace(method, bf16=False).craft(NETWORK, images, ball, seeded(0))
        return last

    found, ours = crafted(VARIANTS[name]), crafted(VARIANTS["ours"])
    assert found.image_gradients == pytest.approx(ours.image_gradients, abs=30)
    assert torch.equal(found.perturbation, ours.perturbation) == (name in ("ours", "in_32_bits"))  # all are compared in 32


def test_the_average_is_of_the_last_fifth() -> None:
    *steps, last = Averaged(budget=80, batch_size=8).craft(NETWORK, pictures(30), Ball("l2", 1.0), seeded(0))
    late = torch.stack([progress.perturbation for progress in steps[8:]]).mean(dim=0)
    torch.testing.assert_close(last.perturbation, late / late.norm() * (1 - 1e-6), rtol=1e-4, atol=1e-6)


def test_unfooled_images_are_drawn_twice_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = torch.zeros(40)

    def counted(self: Problem, loss, batch: torch.Tensor, v: torch.Tensor, *rest: object) -> torch.Tensor:
        counts[batch] += 1
        return v

    monkeypatch.setattr(Problem, "gradient", counted)
    problem = Problem.pose([NETWORK], pictures(40), BALL)
    method = UnfooledOftener(batch_size=1)
    state = method.begin(problem, seeded(0))
    state.memory["fooled"] = torch.arange(40) % 2.0
    for _ in range(4000):
        method.batch_gradient(problem, state, state.pattern)
    assert float(counts[1::2].sum()) / 4000 == pytest.approx(1 / 3, abs=0.03)


def test_what_the_gradients_see_is_remembered() -> None:
    problem = Problem.pose([NETWORK], pictures(12), BALL)
    method = UnfooledOftener(batch_size=12, smallest_view=1.0)
    state = method.begin(problem, seeded(0))
    v = BALL.random_signs((3, 8, 8), seeded(5))
    method.batch_gradient(problem, state, v)
    assert 0 < float(state.memory["fooled"].sum()) <= 12


def test_too_few_images_are_refused() -> None:
    with pytest.raises(DatasetError, match="too few"):
        list(ablations(NETWORK, {}, toy_set("craft", 40, 0), BALL, 0))


def test_crafted_and_measured_on_different_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CRAFTED_ON", 12)
    craft = toy_set("craft", 40, 0)
    method = Default(budget=32, batch_size=4)
    (row,) = ablations(NETWORK, {"ours": method}, craft, BALL, 3)
    ordered = craft.shuffled(seeded(3))
    *_, last = method.craft(NETWORK, ordered.pixels[:12], BALL, seeded(3))
    assert row.rate == Problem.pose([NETWORK], ordered.pixels[12:], BALL).rate(last.perturbation)
    assert (row.variant, row.seed, row.rate.total) == ("ours", 3, 28)


def test_means_are_over_the_seeds_of_finished_variants() -> None:
    rates = {("a", 0): 3, ("a", 1): 5, ("b", 0): 1}
    rows = [AblationRow(variant, "Net", seed, 8, Rate(count, 10)) for (variant, seed), count in rates.items()]
    assert mean_rates(rows) == {"a": pytest.approx(0.4)}
    assert mean_rates(rows[:1] + rows[2:]) == {"a": pytest.approx(0.3), "b": pytest.approx(0.1)}
