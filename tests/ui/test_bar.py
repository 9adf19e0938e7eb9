"""The bar of choices: what one choice does to the others."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image
from tab_pages import by_id, handlers_of, page_of

from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.models.zoo import PAGE_MODEL
from uap_core.norms import Ball
from uap_core.perturbations.library import library
from uap_core.perturbations.perturbation import Perturbation, save_perturbation
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.stated import sayable

NETWORK, OTHER = "resnet64", "vgg64"
PATTERN, OF_L2 = "resnet64-linf10.safetensors", "resnet64-l2.safetensors"


@pytest.fixture(scope="module")
def panel() -> dict[str, Callable[..., Any]]:
    """The bar's handlers by name; what they send by the ids of the page. Nothing but an empty sentence is nothing."""
    found = handlers_of(page_of(lambda studio, setup, tab: None))

    def sent(handler: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: {name: value for name, value in by_id(handler(*args)).items() if (name, value) != ("bar-said", "")}

    return {
        name: sent(found[name])
        for name in ("pick_photo", "dream", "accept", "accept_image", "switch", "fit", "open_pattern", "take")
    }


def test_a_list_that_the_keyboard_only_passes_changes_nothing(panel: dict[str, Callable[..., Any]]) -> None:
    stands = (NETWORK, PATTERN)
    assert panel["switch"](NETWORK, PATTERN, {}, "sample:lion", stands) == {}
    assert panel["fit"](PATTERN, NETWORK, {}, stands) == {}


def test_another_pattern_brings_its_own_epsilon(panel: dict[str, Callable[..., Any]]) -> None:
    now = panel["fit"](OF_L2, NETWORK, {}, (NETWORK, PATTERN))
    assert (now["epsilon"]["value"], now["epsilon"]["maximum"]) == (2000, 4000)
    assert "l2" in now["epsilon"]["label"]
    assert "Crafted on" in now["pattern-note"]
    assert now["state"] == (NETWORK, OF_L2)


def test_the_slider_steps_on_strengths_that_are_looked_at_ahead(panel: dict[str, Callable[..., Any]]) -> None:
    for key, before in ((OF_L2, PATTERN), (PATTERN, OF_L2)):
        slider = panel["fit"](key, NETWORK, {}, (NETWORK, before))["epsilon"]
        assert slider["maximum"] / slider["step"] == pytest.approx(32)
        assert slider["value"] % slider["step"] == 0, "its own strength is one of them"


def test_another_network_brings_its_own_pattern_and_leaves_the_epsilon(panel: dict[str, Callable[..., Any]]) -> None:
    now = panel["switch"](OTHER, PATTERN, {}, "sample:lion", (NETWORK, PATTERN))
    patterns = now["pattern"]
    assert PATTERN in [key for _, key in patterns["choices"]]
    assert patterns["value"] == "vgg64-linf10.safetensors"
    assert "right on" in now["network-note"]
    fitted = panel["fit"](patterns["value"], OTHER, {}, (NETWORK, PATTERN))
    assert "epsilon" not in fitted
    assert fitted["state"] == (OTHER, patterns["value"])
    assert panel["fit"](patterns["value"], OTHER, {}, (NETWORK, OF_L2))["epsilon"]["value"] == 10, "of another norm"


def test_another_network_leaves_a_pattern_of_ones_own_if_it_fits(panel: dict[str, Callable[..., Any]]) -> None:
    own = {"mine": Pattern("mine", np.zeros((3, 64, 64), np.float32), "linf", 0.1)}
    stays = panel["switch"](OTHER, "own:mine", own, "sample:lion", (NETWORK, "own:mine"))
    assert "value" not in stays["pattern"]
    goes = panel["switch"](PAGE_MODEL, "own:mine", own, "sample:lion", (NETWORK, "own:mine"))
    assert goes["pattern"]["value"] == f"{PAGE_MODEL}-linf10.safetensors"


def test_where_a_pattern_of_another_network_comes_from_is_said(panel: dict[str, Callable[..., Any]]) -> None:
    now = panel["fit"](PATTERN, OTHER, {}, (OTHER, "vgg64-linf10.safetensors"))
    assert "for ResNet-64" in now["pattern-note"]
    assert "where it fools 87.2%" in now["pattern-note"]


def picked(photo: str) -> gr.EventData:
    return gr.EventData(None, {"photo": photo})


def test_a_photograph_that_withstands_is_named_so(panel: dict[str, Callable[..., Any]]) -> None:
    holds = next(photo for photo in SAMPLE_PHOTOS if NETWORK in photo.withstands)
    now = panel["pick_photo"](NETWORK, "", picked(f"sample:{holds.key}"))
    assert now["state"] == f"sample:{holds.key}"
    assert f'data-chosen="sample:{holds.key}"' in now["now-photo"]
    assert "This one holds" in now["photo-note"]
    assert "This one holds" not in panel["pick_photo"]("resnet64_universal", "", picked(f"sample:{holds.key}"))["photo-note"]


@pytest.mark.parametrize(
    "odd", [{}, {"photo": None}, {"photo": 5}, {"photo": "sample:nobody"}, {"photo": "upload:/etc/passwd"}, None]
)
def test_what_a_stranger_makes_up_is_no_photograph(panel: dict[str, Callable[..., Any]], odd: Any) -> None:
    now = panel["pick_photo"](NETWORK, "", gr.EventData(None, odd))
    assert "state" not in now
    assert "Choose a photograph" in now["bar-said"]


def test_class_impressions_name_their_network(panel: dict[str, Callable[..., Any]]) -> None:
    now = panel["dream"](PAGE_MODEL, gr.SelectData(None, {"index": 2, "value": None}))
    assert now["state"] == "dream:2"
    assert "ResNet-64" in now["photo-note"]
    assert panel["pick_photo"](PAGE_MODEL, "", picked("sample:cat"))["dreams"]["selected_index"] == -1


def test_a_pattern_that_is_not_to_be_had_for_a_network_gives_way_to_its_first(panel: dict[str, Callable[..., Any]]) -> None:
    patterns = panel["switch"](OTHER, "own:gone", {}, "sample:lion", (NETWORK, "own:gone"))["pattern"]
    assert patterns["value"] == patterns["choices"][0][1]
    assert panel["fit"](patterns["value"], OTHER, {}, (NETWORK, "own:gone"))["epsilon"]["value"] == 10


def test_an_upload_is_looked_at_until_it_is_taken_away(
    panel: dict[str, Callable[..., Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = tmp_path / "mine.png"
    Image.new("RGB", (80, 80), "red").save(path)
    now = panel["accept"]({"path": str(path)}, NETWORK)
    assert 'data-chosen="upload"' in now["now-photo"]
    assert "Your picture" in now["photo-note"]
    assert 'data-photo="upload"' in panel["accept_image"]({"path": str(path)}, NETWORK, "sample:cat")["strip"]
    assert 'data-photo="upload"' in now["strip"]
    assert panel["pick_photo"](NETWORK, str(path), picked("upload"))["state"] == f"upload:{path}"
    gone = panel["accept_image"](None, NETWORK, f"upload:{path}")
    assert 'data-photo="upload"' not in gone["strip"]
    assert 'data-chosen="sample:lion"' in gone["now-photo"]
    assert "Gradio" in gone["photo-note"]
    assert panel["accept_image"](None, NETWORK, "sample:cat") == {}


def test_a_file_that_is_no_picture_changes_nothing_and_is_said(
    panel: dict[str, Callable[..., Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "mine.png").write_bytes(b"no picture")
    assert list(panel["accept"]({"path": str(tmp_path / "mine.png")}, NETWORK)) == ["bar-said"]


def test_a_file_of_our_own_keeps_what_it_says_of_itself(panel: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    path = str(library()[0].path)
    own, now = opened(panel, path, {})
    (name,) = own
    assert own[name].provenance == sayable(library()[0].provenance)
    assert own[name].origin == "opened"
    assert f"Opened {name}: l_inf 10/255. Crafted on 2000 images" in now["pattern-note"]
    assert now["pattern"]["value"] == f"own:{name}"
    assert "in place of" not in opened(panel, path, own)[1]["pattern-note"], "it is the same file"
    copy = shutil.copy(path, tmp_path)
    assert "in place of the one of that name" in opened(panel, copy, own)[1]["pattern-note"]


def opened(
    panel: dict[str, Callable[..., Any]], path: str, own: dict[str, Pattern]
) -> tuple[dict[str, Pattern], dict[str, Any]]:
    """The visitor's patterns once a file is opened, and all that is sent."""
    page = page_of(lambda studio, setup, tab: None)
    sent = handlers_of(page)["open_pattern"]({"path": path}, NETWORK, own)
    (mine,) = [
        value for value in sent.values() if isinstance(value, dict) and all(isinstance(one, Pattern) for one in value.values())
    ]
    return mine, by_id(sent)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ({"held_out": 5}, {}),
        ({"held_out": {"fooling_rate": "most"}}, {}),
        ({"held_out": {"random_signs": []}}, {}),
        ({"image_gradients": 8, "seconds": "x"}, {"image_gradients": 8}),
        ({"craft_set": "x" * 20_000}, {}),
    ],
)
def test_what_a_file_says_of_itself_and_cannot_be_shown_is_left_out(
    panel: dict[str, Callable[..., Any]], tmp_path: Path, said: dict[str, Any], left: dict[str, Any]
) -> None:
    perturbation = Perturbation("odd", torch.full((3, 64, 64), 0.01), Ball("linf", 0.01), said)
    save_perturbation(perturbation, tmp_path / "odd.safetensors")
    own, _ = opened(panel, str(tmp_path / "odd.safetensors"), {})
    assert own["odd"].provenance == left
    assert panel["fit"]("own:odd", NETWORK, own, (NETWORK, PATTERN))["pattern-note"] == ""


def test_the_ninth_file_says_which_one_goes(panel: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    own: dict[str, Pattern] = {"kept": Pattern("kept", np.zeros((3, 64, 64), np.float32), "linf", 0.1, origin="kept")}
    for number in range(9):
        np.save(tmp_path / f"mine{number}.npy", np.full((3, 64, 64), 0.01, dtype=np.float32))
        own, now = opened(panel, str(tmp_path / f"mine{number}.npy"), own)
        assert ("mine0 is gone: the newest 8 of a kind stay." in now["bar-said"]) == (number == 8)
    assert list(own) == ["kept", *(f"mine{number}" for number in range(1, 9))]


def test_a_foreign_file_counts_as_opened_not_as_kept(panel: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", np.full((3, 64, 64), 0.01, dtype=np.float32))
    own, _ = opened(panel, str(tmp_path / "mine.npy"), {})
    assert (own["mine"].provenance, own["mine"].origin) == ({}, "opened")


def test_where_the_first_pattern_comes_from_is_said_from_the_start() -> None:
    page = page_of(lambda studio, setup, tab: None)
    (note,) = (block for block in page.blocks.values() if getattr(block, "elem_id", "") == "pattern-note")
    first = next(entry for entry in library() if entry.key == Studio().patterns(PAGE_MODEL, {})[0][1])
    assert first.networks == (PAGE_MODEL,)
    assert f"{first.provenance['held_out']['fooling_rate']:.1%}" in str(note.value)
