"""Recipes, and that what is made by one is what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from toys import seeded, toy_set, toy_zoo

from uap_core.crafting.default import Default
from uap_core.crafting.problem import Problem
from uap_core.experiments.networks import KINDS, OTHERS, SEVEN
from uap_core.models.zoo import QUICK_MODEL
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import load_perturbation
from uap_core.precompute.recipes import Recipe, is_made, make, recipes

CRAFT, HELD_OUT = toy_set("craft", 24, 0), toy_set("held out", 30, 1)
RECIPE = Recipe("one-linf", ("one",), Ball("linf", 20 / 255), Default(budget=64, batch_size=4), images=20)


def made(recipe: Recipe, zoo, folder: Path):
    networks = [zoo.load(key) for key in recipe.networks]
    *_, last = make(recipe, "what it is called", networks, CRAFT, HELD_OUT, folder, folder / "run.state")
    assert last.done
    return load_perturbation(folder / f"{recipe.file}.safetensors")


def test_the_library_holds_what_it_promises() -> None:
    found = recipes()
    assert len({recipe.file for recipe in found}) == len(found)
    for network in (QUICK_MODEL, *SEVEN):
        mine = {(recipe.ball.p, recipe.method.key) for recipe in found if recipe.networks == (network,)}
        assert {("linf", "default"), ("l2", "default"), ("linf", "deepfool")} <= mine
    several = [set(recipe.networks) for recipe in found if len(recipe.networks) > 1]
    assert set(SEVEN) in several
    assert all(set(KINDS) - {left_out} in several for left_out in KINDS)
    assert any(recipe.target for recipe in found)


def test_names_say_what_a_pattern_was_made_for() -> None:
    cards = toy_zoo(QUICK_MODEL, *OTHERS, *SEVEN).cards()
    names = {recipe.file: recipe.name(cards) for recipe in recipes()}
    assert len(set(names.values())) == len(names)
    assert names["googlenet_bvlc-linf10"] == "Googlenet_Bvlc, l_inf 10/255"
    assert names["googlenet_bvlc-linf10-deepfool"] == "Googlenet_Bvlc, l_inf 10/255, by DeepFool"
    assert names["all-linf10"] == "all four ImageNet networks, l_inf 10/255"
    assert names["seven-linf10"] == "all seven ImageNet networks, l_inf 10/255"
    assert names["all-but-googlenet_bvlc-linf10"] == "all but Googlenet_Bvlc, l_inf 10/255"
    assert names["unseen-googlenet_bvlc-linf10"] == "all kinds but Googlenet_Bvlc, l_inf 10/255"
    assert any(name.endswith("into 'abacus'") for name in names.values())


@pytest.mark.parametrize("recipe", [RECIPE, replace(RECIPE, ball=Ball("l2", 0.8)), replace(RECIPE, networks=("one", "two"))])
def test_a_made_pattern_lies_on_the_grid_and_states_its_true_rate(recipe: Recipe, zoo, tmp_path: Path) -> None:
    assert not is_made(recipe, tmp_path, zoo, CRAFT.name)
    found = made(recipe, zoo, tmp_path)
    assert is_made(recipe, tmp_path, zoo, CRAFT.name)
    assert not (tmp_path / "run.state").exists()
    levels = found.pattern * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-4, rtol=0)
    for key in recipe.networks:
        rate = Problem.pose([zoo.networks[key]], HELD_OUT.pixels, recipe.ball).rate(found.pattern)
        stated = found.provenance["held_out"]
        assert (stated if len(recipe.networks) == 1 else stated[key])["fooling_rate"] == pytest.approx(rate.value, abs=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        {"method": Default(budget=65, batch_size=4)},
        {"seed": 1},
        {"images": 10},
        {"ball": Ball("linf", 19 / 255)},
        {"target": "b"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_recipe_is_not_yet_made(change: dict[str, object], zoo, tmp_path: Path) -> None:
    made(RECIPE, zoo, tmp_path)
    assert not is_made(replace(RECIPE, **change), tmp_path, zoo, CRAFT.name)


def test_other_weights_make_another_pattern(zoo, tmp_path: Path) -> None:
    made(RECIPE, zoo, tmp_path)
    network = zoo.networks["one"]
    network.card = replace(network.card, sha256="others")
    assert not is_made(RECIPE, tmp_path, zoo, CRAFT.name)


def test_a_damaged_file_is_made_again(zoo, tmp_path: Path) -> None:
    (tmp_path / "one-linf.safetensors").write_bytes(b"half a file")
    assert not is_made(RECIPE, tmp_path, zoo, CRAFT.name)


def test_a_targeted_pattern_states_its_target(zoo, tmp_path: Path) -> None:
    found = made(replace(RECIPE, target="b"), zoo, tmp_path)
    assert found.provenance["target"] == "b"
    assert 0 <= found.provenance["held_out"]["target_rate"] <= 1


def test_it_is_crafted_on_the_pictures_that_the_seed_draws(zoo, tmp_path: Path) -> None:
    found = made(replace(RECIPE, ball=Ball("linf", 1 / 255)), zoo, tmp_path)
    part = CRAFT.shuffled(seeded(0)).prefix(20)
    *_, last = RECIPE.method.craft(zoo.networks["one"], part.pixels, Ball("linf", 1 / 255), seeded(0))
    assert torch.equal(found.pattern, (last.perturbation * 255).round() / 255)
