from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from toys import pictures

from uap_core.crafting.cos_uap import Cosine
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError, SettingError
from uap_core.experiments.fine_tuning import FineTuning, RoundRow
from uap_core.models.card import Card
from uap_core.norms import Ball
from uap_core.training.loop import EpochRow
from uap_core.training.recipe import Recipe

RECIPE = Recipe(
    epochs=2,
    batch_size=16,
    size=8,
    large_size=8,
    small_share=0.0,
    mix_chance=0.0,
    peak_rate=0.05,
    epsilon=0.15,
    average_decay=0.5,
)
PLAN = FineTuning(RECIPE, Cosine(budget=160), Ball("linf", 0.15), rounds=1, patterns=2, images=32)
CARD = Card("tiny", "Tiny", "embedded", "", 8, 8, "none", "made in a test", classes=[{"name": n, "wnid": n} for n in "abc"])


def coloured(count: int, seed: int, name: str, names: str = "abc") -> ImageSet:
    """Three classes that differ by their colour, and by enough that a network can be taught to look at all of it."""
    pixels = pictures(count, seed) // 2
    labels = torch.arange(count) % 3
    pixels[torch.arange(count), labels] += 60
    return ImageSet(name, pixels, tuple(names[i] for i in labels), tuple(f"{name}{i}" for i in range(count)))


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, 3)
        )


def finish(folder: Path, plan: FineTuning = PLAN) -> list[EpochRow | RoundRow]:
    craft, held_out = coloured(96, 0, "craft"), coloured(60, 1, "held-out")
    return list(plan.run(network(), CARD, craft, held_out, folder))


def rounds(rows: list[EpochRow | RoundRow]) -> list[RoundRow]:
    return [row for row in rows if isinstance(row, RoundRow)]


def test_a_round_is_a_pool_an_epoch_or_two_and_a_measurement(tmp_path: Path) -> None:
    rows = finish(tmp_path)
    assert [type(row).__name__ for row in rows] == ["RoundRow", "EpochRow", "EpochRow", "RoundRow"]
    first, second = rounds(rows)
    assert (first.round, second.round) == (0, 1)
    assert first.new_pattern == first.first_pattern  # one and the same so far
    assert second.new_pattern != second.first_pattern
    assert second.clean_accuracy.value > 0.9  # it learned its classes in the meantime
    assert first.clean_accuracy.total == 60


def test_it_starts_from_the_patterns_and_the_seed_alone(tmp_path: Path) -> None:
    once, again = (rounds(finish(tmp_path / name)) for name in "ab")
    assert [replace(row, seconds=0) for row in once] == [replace(row, seconds=0) for row in again]


def test_a_stopped_run_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole = rounds(finish(tmp_path / "whole"))
    craft, held_out = coloured(96, 0, "craft"), coloured(60, 1, "held-out")
    run = PLAN.run(network(), CARD, craft, held_out, tmp_path / "half")
    while not isinstance(next(run), EpochRow):
        pass
    run.close()
    assert [replace(row, seconds=0) for row in rounds(finish(tmp_path / "half"))] == [replace(row, seconds=0) for row in whole]


@pytest.mark.parametrize("other", [{"ball": Ball("linf", 0.02)}, {"method": Cosine(budget=16)}, {"patterns": 5}, {"images": 8}])
def test_another_run_does_not_go_on_with_this_ones_weights(tmp_path: Path, other: dict[str, Any]) -> None:
    finish(tmp_path)
    with pytest.raises(SettingError, match="or on other pictures or patterns"):
        finish(tmp_path, replace(PLAN, **other))


def test_a_network_that_was_trained_anew_does_not_go_on_with_the_former_ones_weights(tmp_path: Path) -> None:
    finish(tmp_path)
    anew = network()
    with torch.no_grad():
        anew[0].weight.mul_(1.5)
    with pytest.raises(SettingError, match="another network"):
        list(PLAN.run(anew, CARD, coloured(96, 0, "craft"), coloured(60, 1, "held-out"), tmp_path))


def test_the_network_meets_the_pool_while_it_learns(tmp_path: Path) -> None:
    """The same start and the same pictures are harder with the patterns on them."""
    met, spared = (finish(tmp_path / f"{alpha}", replace(PLAN, recipe=replace(RECIPE, alpha=alpha))) for alpha in (0.0, 1.0))
    assert rounds(met)[0] == replace(rounds(spared)[0], seconds=rounds(met)[0].seconds)
    assert met[1].loss > spared[1].loss + 0.05


def test_pictures_of_other_classes_are_refused(tmp_path: Path) -> None:
    craft, held_out = coloured(96, 0, "craft", "abd"), coloured(60, 1, "held-out", "abd")
    with pytest.raises(DatasetError, match="classes of Tiny"):
        next(PLAN.run(network(), CARD, craft, held_out, tmp_path))
