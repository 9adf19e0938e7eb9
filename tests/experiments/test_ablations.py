from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from toys import convolutional_network, pictures, seeded, toy_set

from uap_core.crafting.default import Default
from uap_core.crafting.loop import Crafter
from uap_core.crafting.problem import Problem
from uap_core.experiments import ablations as room
from uap_core.experiments.ablations import Averaged, Unfooled, ablations, variants
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
    assert torch.equal(found.perturbation, ours.perturbation) == (name in ("ours", "in 32 bits"))  # all are compared in 32


def test_the_average_is_of_the_last_fifth() -> None:
    *steps, last = Averaged(budget=80, batch_size=8).craft(NETWORK, pictures(30), Ball("l2", 1.0), seeded(0))
    late = torch.stack([progress.perturbation for progress in steps[8:]]).mean(dim=0)
    torch.testing.assert_close(last.perturbation, late / late.norm() * (1 - 1e-6), rtol=1e-4, atol=1e-6)


def test_unfooled_images_alone_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[torch.Tensor, torch.Tensor]] = []
    plain = Unfooled.counted_gradient

    def watched(self, problem: Problem, state, batch, v):
        drawn.append((batch, state.memory["left"]))
        return plain(self, problem, state, batch, v)

    monkeypatch.setattr(Unfooled, "counted_gradient", watched)
    list(Unfooled(budget=120, batch_size=2).craft(NETWORK, pictures(30), BALL, seeded(0)))
    assert drawn
    assert all(torch.isin(batch, left).all() for batch, left in drawn if len(left) >= 2)


def test_crafted_and_measured_on_different_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CRAFTED_ON", 12)
    craft = toy_set("craft", 40, 0)
    method = Default(budget=32, batch_size=4)
    (row,) = ablations(NETWORK, {"ours": method}, craft, BALL, 3)
    ordered = craft.shuffled(seeded(3))
    *_, last = method.craft(NETWORK, ordered.pixels[:12], BALL, seeded(3))
    assert row.rate == Problem.pose([NETWORK], ordered.pixels[12:], BALL).rate(last.perturbation)
    assert (row.variant, row.seed, row.rate.total) == ("ours", 3, 28)
