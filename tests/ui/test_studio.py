from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from uap_core.errors import DatasetError, ImageError, ModelError, PerturbationError, SettingError
from uap_core.models.zoo import Zoo, dreams_for
from uap_core.ui.own_patterns import add_own
from uap_core.ui.setup_panel import chosen
from uap_core.ui.studio import RANDOM_SIGNS, Pattern, Studio, photo_choices, thumbnails

NETWORK = "resnet64"


@pytest.fixture
def studio() -> Studio:
    return Studio()


def own(size: int = 64, name: str = "mine") -> dict[str, Pattern]:
    return {name: Pattern(name, np.full((3, size, size), 4 / 255, dtype=np.float32), "linf", 4 / 255)}


def test_every_choice_of_the_gallery_is_a_picture(studio: Studio) -> None:
    choices = photo_choices()
    assert len(choices) == len(thumbnails()) >= 12
    for _, photo in choices:
        assert studio.pixels(photo, studio.card(NETWORK)).shape == (64, 64, 3)


@pytest.mark.parametrize("photo", ["", "sample:nobody", "dream:999", "dream:x", "upload:/nowhere.png", "file:/etc/passwd"])
def test_a_photograph_that_is_not_there(studio: Studio, photo: str) -> None:
    with pytest.raises(ImageError):
        studio.pixels(photo, studio.card(NETWORK))


def test_patterns_fit_the_network_and_end_with_the_baseline(studio: Studio) -> None:
    keys = [key for _, key in studio.patterns(NETWORK, own() | own(32, "small"))]
    assert "own:mine" in keys
    assert "own:small" not in keys
    assert keys[-1] == RANDOM_SIGNS
    for key in keys:
        assert studio.perturbation(key, NETWORK, own()).pattern.shape == (3, 64, 64)


@pytest.mark.parametrize("key", ["own:other", "/etc/passwd", "../assets/models/resnet64.safetensors"])
def test_a_pattern_of_another_visitor_or_a_path_is_refused(studio: Studio, key: str) -> None:
    with pytest.raises(PerturbationError):
        studio.perturbation(key, NETWORK, {})


@pytest.mark.parametrize("epsilon", [-1, 33, float("nan"), float("inf"), None, "ten"])
def test_epsilon_out_of_range(studio: Studio, epsilon: float) -> None:
    with pytest.raises(SettingError, match="between 0 and 32"):
        chosen(studio, NETWORK, RANDOM_SIGNS, {}, epsilon)


def test_a_session_keeps_few_patterns_the_newest_last() -> None:
    patterns: dict[str, Pattern] = {}
    for number in range(12):
        patterns = add_own(patterns, own(name=f"p{number}")[f"p{number}"])
    assert list(patterns) == [f"p{number}" for number in range(4, 12)]
    assert list(add_own(patterns, patterns["p5"]))[-1] == "p5"


def test_unknown_network(studio: Studio) -> None:
    with pytest.raises(ModelError):
        studio.card("nobody")


def test_own_pictures_replace_the_dreams(tmp_path: Path) -> None:
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 256, (70, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    craft, held_out = Studio(images=tmp_path).craft_and_held_out(NETWORK)
    assert not set(craft.files) & set(held_out.files)
    assert len(craft) + len(held_out) == 6
    with pytest.raises(DatasetError):
        Studio(images=tmp_path / "nothing").craft_and_held_out(NETWORK)


def test_another_embedded_network_looks_at_the_same_dreams(dreams: Path) -> None:
    card = Zoo().card("resnet64")
    assert dreams_for(card) == dreams_for(replace(card, key="sibling")) == dreams
    assert not dreams_for(replace(card, key="sibling", input_size=224)).exists()
    assert not dreams_for(replace(card, key="own", kind="exported")).exists(), "it may know other classes"


def test_dreams_are_the_live_set(studio: Studio, dreams: Path) -> None:
    craft, held_out = studio.craft_and_held_out(NETWORK)
    assert (len(craft), len(held_out)) == (256, 256)
    assert not set(craft.files) & set(held_out.files)


def test_no_weights_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo = Zoo()
    monkeypatch.setattr(zoo, "cards", lambda: {})
    with pytest.raises(ModelError):
        Studio(zoo).networks()
