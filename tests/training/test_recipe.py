from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from uap_core.errors import DatasetError, SettingError
from uap_core.training.loop import EpochRow, accuracy, train
from uap_core.training.recipe import IMAGES, UNIVERSAL, Recipe, one_cycle
from uap_core.training.recipes import RECIPES, recipe_of

RECIPE = Recipe(epochs=3, batch_size=8, size=16, small_size=12, peak_rate=0.05)


def data(count: int = 28, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Three classes that differ by their colour."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    images = torch.randint(0, 128, (count, 3, 16, 16), generator=generator, dtype=torch.uint8)
    images[torch.arange(count), labels] += 100
    return images, labels


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 3),
        )


def finish(net: nn.Module, checkpoint: Path, recipe: Recipe = RECIPE) -> list[EpochRow]:
    return list(train(net, data(), data(seed=1), recipe, checkpoint))


def test_an_interrupted_run_ends_bit_for_bit_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, interrupted, resumed = network(), network(), network()
    rows = finish(whole, tmp_path / "whole.ckpt")
    first = next(iter(train(interrupted, data(), data(seed=1), RECIPE, tmp_path / "half.ckpt")))
    torch.rand(7)  # whatever else goes on in the meantime
    again = finish(resumed, tmp_path / "half.ckpt")
    assert again[0] == first
    assert [(row.epoch, row.loss, row.top1, row.rate) for row in again] == [
        (row.epoch, row.loss, row.top1, row.rate) for row in rows
    ]
    state = resumed.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in whole.state_dict().items())
    assert not any(torch.equal(value, state[name]) for name, value in network().named_parameters())


def test_a_pattern_that_learns_beside_it_goes_on_where_it_was(tmp_path: Path) -> None:
    recipe = replace(RECIPE, epsilon=0.1, against=UNIVERSAL, small_share=0.0, large_size=16)
    whole, interrupted, resumed = network(), network(), network()
    finish(whole, tmp_path / "whole.ckpt", recipe)
    next(iter(train(interrupted, data(), data(seed=1), recipe, tmp_path / "half.ckpt")))
    pattern = torch.load(tmp_path / "half.ckpt", weights_only=True)["opponent"]["pattern"]
    assert 0 < pattern.abs().max() <= 0.1
    finish(resumed, tmp_path / "half.ckpt", recipe)
    state = resumed.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in whole.state_dict().items())
    plain = network()
    finish(plain, tmp_path / "plain.ckpt", replace(recipe, epsilon=0.0))
    assert not torch.equal(plain[0].weight, whole[0].weight)


def test_an_opponent_that_is_not_known_is_refused() -> None:
    with pytest.raises(SettingError, match="against images or universal, not against 'everybody'"):
        Recipe(against="everybody").opponent()


def test_the_recipe_of_an_attacked_twin() -> None:
    robust, universal = (recipe_of("resnet64", None, 0, 4 / 255, None, kind) for kind in (IMAGES, UNIVERSAL))
    assert (robust, robust.start) == (RECIPES["resnet64_robust"], "resnet64")
    assert universal.small_share == 0  # a pattern fits one size
    assert recipe_of("vgg64", None, 0, 4 / 255, None).mix_chance == 0
    assert recipe_of("vgg64", None, 0, 0.0, None) == RECIPES["vgg64"]
    assert recipe_of("resnet64", 7, 3, 2 / 255, 0.9) == replace(robust, epochs=7, seed=3, epsilon=2 / 255, alpha=0.9)


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    whole, again = network(), network()
    rows = finish(whole, tmp_path / "run.ckpt")
    assert finish(again, tmp_path / "run.ckpt") == rows
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in whole.state_dict().items())


def test_the_seed_decides(tmp_path: Path) -> None:
    first, other = network(), network()
    finish(first, tmp_path / "0.ckpt")
    finish(other, tmp_path / "1.ckpt", Recipe(**(vars(RECIPE) | {"seed": 1})))
    assert not torch.equal(first[0].weight, other[0].weight)


def test_it_learns_and_the_rows_say_so(tmp_path: Path) -> None:
    net = network()
    recipe = Recipe(epochs=15, batch_size=7, size=16, small_size=16, peak_rate=0.2, average_decay=0.8, mix_chance=0.0)
    rows = finish(net, tmp_path / "run.ckpt", recipe)
    assert [row.epoch for row in rows] == list(range(1, 16))
    assert rows[-1].loss < rows[0].loss
    assert rows[-1].top1 > 0.8
    assert all(row.top5 == 1 for row in rows)  # there are only three classes
    assert all(row.images_per_second > 0 for row in rows)
    assert rows[-1].rate < 0.1 * max(row.rate for row in rows)


@pytest.mark.parametrize("count", [0, 7])
def test_less_than_a_batch_is_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(DatasetError, match="at least 8 images"):
        next(train(network(), data(count), data(), RECIPE, tmp_path / "run.ckpt"))


def test_exactly_a_batch_is_enough(tmp_path: Path) -> None:
    assert len(list(train(network(), data(8), data(), RECIPE, tmp_path / "run.ckpt"))) == 3


def test_the_rate_rises_over_a_fifth_and_falls_to_zero() -> None:
    assert [one_cycle(p) for p in (0.0, 0.1, 0.2, 0.6, 1.0)] == pytest.approx([0, 0.5, 1, 0.5, 0])


def test_the_phases_of_a_run() -> None:
    recipe = Recipe(epochs=20)
    assert [recipe.side(epoch) for epoch in range(20)] == [48] * 9 + [64] * 11
    assert [replace(recipe, large_size=56).side(epoch) for epoch in (0, 19)] == [48, 56]
    assert [recipe.mixing(epoch) for epoch in range(20)] == [0.5] * 17 + [0.0] * 3
    assert recipe.rate(4) == recipe.peak_rate
    assert recipe.rate(12) == pytest.approx(recipe.peak_rate / 2)
    assert recipe.rate(20) == 0


def test_pictures_are_seen_enlarged_by_what_crops_enlarge() -> None:
    """A crop covers between its smallest share and all of the area, evenly: how much larger are things in the mean?"""
    recipe = Recipe()
    areas = torch.linspace(recipe.smallest_crop, 1, 1000)
    assert recipe.view_size / recipe.size == pytest.approx(float(areas.rsqrt().mean()), rel=0.02)


def test_accuracy_counts_hits() -> None:
    """The network's logits are the pixels, so the brightest channel is the prediction."""
    images = torch.zeros(8, 7, 1, 1, dtype=torch.uint8)
    for i in range(8):
        images[i, :, 0, 0] = torch.arange(7) * 10
    labels = torch.tensor([6, 6, 5, 2, 1, 0, 0, 6])  # 6 is first, 2 to 6 are the top five
    assert accuracy(nn.Flatten(), images, labels, batch_size=3) == (3 / 8, 5 / 8)


def test_the_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    """Going on from it would publish one network under the other's name."""
    finish(network(), tmp_path / "run.ckpt")
    with pytest.raises(SettingError, match=r"'run\.ckpt' holds the training of another network or recipe"):
        finish(network(), tmp_path / "run.ckpt", replace(RECIPE, epsilon=4 / 255))
    images, labels = data()
    with pytest.raises(SettingError, match="on other pictures"):
        next(train(network(), (255 - images, labels), data(), RECIPE, tmp_path / "run.ckpt"))
    for held in (b"", b"no checkpoint", (tmp_path / "run.ckpt").read_bytes()[:-9]):
        (tmp_path / "no.ckpt").write_bytes(held)
        with pytest.raises(SettingError, match="not the state of such a training"):
            finish(network(), tmp_path / "no.ckpt")
    other = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3))
    with pytest.raises(SettingError, match="another network or recipe"):
        finish(other, tmp_path / "run.ckpt")


def test_pictures_need_not_show_every_class_that_the_network_knows(tmp_path: Path) -> None:
    images, labels = data()
    (row,) = train(network(), (images, labels.clamp_max(0)), data(), replace(RECIPE, epochs=1), tmp_path / "run.ckpt")
    assert row.loss > 0
