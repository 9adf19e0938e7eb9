"""A training beside a teacher: what it is told, and that it goes on as if nothing had stopped it."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.errors import SettingError
from uap_core.io.paths import MODELS
from uap_core.models.architectures.vit64 import ViT64
from uap_core.models.card import read_card
from uap_core.models.classifier import Normalise
from uap_core.models.loaders import load
from uap_core.training.loop import train
from uap_core.training.recipes import RECIPES, recipe_of
from uap_core.training.taught import TaughtRecipe
from uap_core.training.teacher import Lessons, Teacher, at_grid

RECIPE = TaughtRecipe(epochs=2, batch_size=4, small_size=16, large_size=32, small_share=0.5)


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    return Teacher(read_card(MODELS / "resnet64.json"))


def pupil(seed: int = 0) -> ViT64:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ViT64()


def data(seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (8, 3, 64, 64), generator=generator, dtype=torch.uint8), torch.arange(92, 100)


def finish(network: nn.Module, checkpoint: Path, epochs: int = 2) -> list[float]:
    rows = train(network, data(), data(1), RECIPE, checkpoint)
    return [row.loss for row, _ in zip(rows, range(epochs), strict=False)]


def test_a_resumed_run_ends_as_a_straight_one_bit_for_bit(tmp_path: Path) -> None:
    """Weights, averages, both optimisers, and the maps that only training needs."""
    straight, stopped, resumed = pupil(), pupil(), pupil()
    losses = finish(straight, tmp_path / "straight.ckpt")
    finish(stopped, tmp_path / "stopped.ckpt", epochs=1)
    assert finish(resumed, tmp_path / "stopped.ckpt") == losses
    state = resumed.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in straight.state_dict().items())
    assert not torch.equal(straight.positions, pupil().positions)


def test_the_teacher_is_the_network_that_ships_and_stays_so(teacher: Teacher) -> None:
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    shipped = load(replace(read_card(MODELS / "resnet64.json"), view_size=0), fold=False)
    logits, (early, late) = teacher.train()(Normalise()(x))
    with torch.inference_mode():
        torch.testing.assert_close(logits, shipped(x), rtol=1e-3, atol=1e-3)
    assert (early.shape, late.shape) == ((2, 128, 8, 8), (2, 320, 4, 4))
    assert not any(p.requires_grad for p in teacher.parameters())


def test_the_loss_is_that_of_the_mixed_targets_and_the_distance(teacher: Teacher) -> None:
    network, x = pupil().eval(), torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    y = F.one_hot(torch.tensor([3, 1, 4, 1]), 100).float()
    alone, both = Lessons(teacher, 0.7, 0.0), Lessons(teacher, 0.7, 2.0)
    with torch.no_grad():
        (said, halfway, end), (logits, maps) = network.on_the_way(x), teacher(x)
        targets = 0.3 * y + 0.7 * logits.softmax(dim=1)
        expected = -(targets * said.log_softmax(dim=1)).sum(dim=1).mean()
        assert float(alone.loss(network, x, y, 32)) == pytest.approx(float(expected), rel=1e-5)
        added = both.loss(network, x, y, 32) - expected
        assert float(added) == pytest.approx(2 * float(both.distance([halfway, end], maps, 4)), rel=1e-4)
        smaller = network(F.interpolate(x, size=(16, 16), mode="bilinear", antialias=True))
        shrunk = -(targets * smaller.log_softmax(dim=1)).sum(dim=1).mean()
        assert float(alone.loss(network, x, y, 16)) == pytest.approx(float(shrunk), rel=1e-5)


def test_tokens_that_say_what_the_maps_say_are_at_no_distance(teacher: Teacher) -> None:
    """The first channels of the tokens carry the standardised maps, and the linear maps read just these."""
    lessons, generator = Lessons(teacher, 0.7, 1.0), torch.Generator().manual_seed(2)
    maps = [torch.randn(3, channels, 4, 4, generator=generator) for channels in (128, 320)]
    with torch.no_grad():
        for guide in lessons.guides:
            nn.init.zeros_(guide.bias)
            nn.init.eye_(guide.weight)
        tokens = torch.zeros(3, 16, 192)
        tokens[:, :, :128] = at_grid(maps[0], 4).flatten(2).transpose(1, 2)
        first = lessons.distance([tokens, torch.zeros(3, 16, 192)], maps, 4)
    assert float(first) == pytest.approx(1.0, abs=1e-3)  # all of it the second's, whose channels have variance 1


def test_maps_of_another_grid_keep_their_places() -> None:
    maps = torch.arange(4.0).view(1, 1, 2, 2)
    found = at_grid(maps, 4)[0, 0]
    assert found.mean().abs() < 1e-5
    assert found.std(correction=0) == pytest.approx(1.0, abs=1e-3)
    assert found[0, 0] < found[0, 3] < found[3, 0] < found[3, 3]


def test_only_a_transformer_is_taught(tmp_path: Path) -> None:
    other = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 100))
    with pytest.raises(SettingError, match="Only a vision transformer"):
        next(train(other, data(), data(), RECIPE, tmp_path / "run.ckpt"))


def test_the_shipped_recipe_has_three_phases_and_says_who_taught() -> None:
    recipe = recipe_of("vit64", None, 0, 0.0, None)
    assert recipe == RECIPES["vit64"]
    assert [recipe.shown(epoch) for epoch in (0, 9, 10, 29)] == [32, 32, 48, 48]
    assert {recipe.side(epoch) for epoch in range(30)} == {48}  # the teacher's
    assert [recipe.mixing(epoch) for epoch in (0, 22, 23)] == [0.25, 0.25, 0.0]
    rates = [recipe.rate(moment) / recipe.peak_rate for moment in (0, 0.5, 1, 18.75, 24.375, 30)]
    assert rates == pytest.approx([0, 0.5, 1, 1, 0.5, 0])
    assert asdict(recipe)["teacher"] == "resnet64"


def test_matrices_of_the_blocks_alone_are_muons() -> None:
    network = nn.ModuleList([nn.Sequential(Normalise(), pupil())])
    adam, muon = RECIPE.optimisers(network)
    counted = [sum(len(group["params"]) for group in optimiser.param_groups) for optimiser in (adam, muon)]
    assert counted[1] == 6 * 4  # qkv, project, widen, narrow
    assert sum(counted) == len(list(network.parameters()))
    assert {group.get("times", 1.0) for group in muon.param_groups} == {10.0}
