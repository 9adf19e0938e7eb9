"""The panel of choices: what one choice does to the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image
from tab_pages import handlers_of, page_of

from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.models.zoo import PAGE_MODEL
from uap_core.norms import Ball
from uap_core.perturbations.library import library
from uap_core.perturbations.perturbation import Perturbation, save_perturbation
from uap_core.ui.state import Pattern, Studio

NETWORK, OTHER = "resnet64", "vgg64"
PATTERN, OF_L2 = "resnet64-linf10.safetensors", "resnet64-l2.safetensors"
NOTHING = {"__type__": "update"}


@pytest.fixture(scope="module")
def panel() -> dict[str, Callable[..., Any]]:
    return handlers_of(page_of(lambda studio, setup, tab: None))


def test_a_list_that_the_keyboard_only_passes_changes_nothing(panel: dict[str, Callable[..., Any]]) -> None:
    stands = (NETWORK, PATTERN)
    assert panel["switch_network"](NETWORK, PATTERN, {}, "sample:lion", stands) == (NOTHING,) * 3
    assert panel["fit_epsilon"](PATTERN, NETWORK, {}, stands) == (NOTHING,) * 3


def test_another_pattern_brings_its_own_epsilon(panel: dict[str, Callable[..., Any]]) -> None:
    slider, note, stands = panel["fit_epsilon"](OF_L2, NETWORK, {}, (NETWORK, PATTERN))
    assert (slider["value"], slider["maximum"]) == (2000, 4000)
    assert "Crafted on" in note
    assert stands == (NETWORK, OF_L2)


def test_another_network_brings_its_own_pattern_and_leaves_the_epsilon(panel: dict[str, Callable[..., Any]]) -> None:
    patterns, about, _ = panel["switch_network"](OTHER, PATTERN, {}, "sample:lion", (NETWORK, PATTERN))
    assert PATTERN in [key for _, key in patterns["choices"]]
    assert patterns["value"] == "vgg64-linf10.safetensors"
    assert "right on" in about
    slider, _, stands = panel["fit_epsilon"](patterns["value"], OTHER, {}, (NETWORK, PATTERN))
    assert slider == NOTHING
    assert stands == (OTHER, patterns["value"])
    slider, *_ = panel["fit_epsilon"](patterns["value"], OTHER, {}, (NETWORK, OF_L2))
    assert slider["value"] == 10, "of another norm"


def test_another_network_leaves_a_pattern_of_ones_own_if_it_fits(panel: dict[str, Callable[..., Any]]) -> None:
    own = {"mine": Pattern("mine", np.zeros((3, 64, 64), np.float32), "linf", 0.1)}
    patterns, *_ = panel["switch_network"](OTHER, "own:mine", own, "sample:lion", (NETWORK, "own:mine"))
    assert "value" not in patterns
    patterns, *_ = panel["switch_network"](PAGE_MODEL, "own:mine", own, "sample:lion", (NETWORK, "own:mine"))
    assert patterns["value"] == f"{PAGE_MODEL}-linf10.safetensors"


def test_where_a_pattern_of_another_network_comes_from_is_said(panel: dict[str, Callable[..., Any]]) -> None:
    _, note, _ = panel["fit_epsilon"](PATTERN, OTHER, {}, (OTHER, "vgg64-linf10.safetensors"))
    assert "for ResNet-64 (embedded), where it fools 87.2%" in note


def test_a_photograph_that_withstands_is_named_so(panel: dict[str, Callable[..., Any]]) -> None:
    holds = next(photo for photo in SAMPLE_PHOTOS if NETWORK in photo.withstands)
    place = SAMPLE_PHOTOS.index(holds)
    picked = gr.SelectData(None, {"index": place, "value": None})
    photo, note, _ = panel["choose"](NETWORK, "sample:lion", picked)
    assert photo == f"sample:{holds.key}"
    assert "This one holds" in note
    assert "This one holds" not in panel["choose"]("resnet64_universal", "sample:lion", picked)[1]


def test_dreams_stand_behind_more_and_name_their_dreamer(panel: dict[str, Callable[..., Any]]) -> None:
    picked = gr.SelectData(None, {"index": 2, "value": None})
    photo, note, gallery = panel["dream"](PAGE_MODEL, "sample:lion", picked)
    assert (photo, gallery["selected_index"]) == ("dream:2", -1)
    assert "Dreamt by ResNet-64 (embedded)" in note
    assert panel["choose"](PAGE_MODEL, "dream:2", picked)[2]["selected_index"] == -1


def test_a_pattern_that_is_not_to_be_had_for_a_network_gives_way_to_its_first(panel: dict[str, Callable[..., Any]]) -> None:
    patterns, *_ = panel["switch_network"](OTHER, "own:gone", {}, "sample:lion", (NETWORK, "own:gone"))
    assert patterns["value"] == patterns["choices"][0][1]
    slider, _, _ = panel["fit_epsilon"](patterns["value"], OTHER, {}, (NETWORK, "own:gone"))
    assert slider["value"] == 10


def test_an_upload_is_looked_at_until_it_is_taken_away(
    panel: dict[str, Callable[..., Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = tmp_path / "mine.png"
    Image.new("RGB", (80, 80), "red").save(path)
    photo, note, gallery, dreams = panel["accept"](str(path), NETWORK, "sample:cat")
    assert photo == f"upload:{path}"
    assert "Your picture" in note
    assert gallery["selected_index"] == dreams["selected_index"] == -1
    photo, note, gallery, _ = panel["accept"](None, NETWORK, photo)
    assert (photo, gallery["selected_index"]) == ("sample:lion", [photo.key for photo in SAMPLE_PHOTOS].index("lion"))
    assert "Gradio" in note
    assert panel["accept"](None, NETWORK, "sample:cat") == (NOTHING,) * 4


def test_a_file_of_our_own_keeps_what_it_says_of_itself(panel: dict[str, Callable[..., Any]]) -> None:
    path = str(library()[0].path)
    own, *_, note, stands = panel["open_pattern"](path, NETWORK, {})[:5]
    (name,) = own
    assert own[name].provenance == library()[0].provenance
    assert own[name].origin == "opened"
    assert f"Opened {name}: l_inf 10/255. Crafted on 2000 images" in note
    assert stands == (NETWORK, f"own:{name}")
    assert "in place of the one of that name" in panel["open_pattern"](path, NETWORK, own)[3]


@pytest.mark.parametrize(
    "said",
    [
        {"held_out": 5},
        {"held_out": {"fooling_rate": "most"}},
        {"held_out": {"fooling_rate": 0.5, "random_signs": []}},
        {"image_gradients": 8, "seconds": "x"},
        {"craft_set": "x" * 20_000},
    ],
)
def test_what_a_file_says_of_itself_and_cannot_be_shown_is_left_out(
    panel: dict[str, Callable[..., Any]], tmp_path: Path, said: dict[str, Any]
) -> None:
    perturbation = Perturbation("odd", torch.full((3, 64, 64), 0.01), Ball("linf", 0.01), said)
    save_perturbation(perturbation, tmp_path / "odd.safetensors")
    own, *_ = panel["open_pattern"](str(tmp_path / "odd.safetensors"), NETWORK, {})
    assert own["odd"].provenance == {}
    assert panel["fit_epsilon"]("own:odd", NETWORK, own, (NETWORK, PATTERN))[1] == ""


def test_the_ninth_file_says_which_one_goes(panel: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    own: dict[str, Pattern] = {"kept": Pattern("kept", np.zeros((3, 64, 64), np.float32), "linf", 0.1, origin="kept")}
    for number in range(9):
        np.save(tmp_path / f"mine{number}.npy", np.full((3, 64, 64), 0.01, dtype=np.float32))
        own, _, _, note, *_ = panel["open_pattern"](str(tmp_path / f"mine{number}.npy"), NETWORK, own)
        assert ("mine0 is gone: the newest 8 of a kind stay." in note) == (number == 8)
    assert list(own) == ["kept", *(f"mine{number}" for number in range(1, 9))]


def test_a_foreign_file_counts_as_opened_not_as_kept(panel: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", np.full((3, 64, 64), 0.01, dtype=np.float32))
    own, *_ = panel["open_pattern"](str(tmp_path / "mine.npy"), NETWORK, {})
    assert (own["mine"].provenance, own["mine"].origin) == ({}, "opened")


def test_where_the_first_pattern_comes_from_is_said_from_the_start() -> None:
    page = page_of(lambda studio, setup, tab: None)
    (note,) = (block for block in page.blocks.values() if getattr(block, "elem_id", "") == "pattern-note")
    first = next(entry for entry in library() if entry.key == Studio().patterns(PAGE_MODEL, {})[0][1])
    assert first.networks == (PAGE_MODEL,)
    assert f"{first.provenance['held_out']['fooling_rate']:.1%}" in str(note.value)
