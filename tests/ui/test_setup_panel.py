"""The panel of choices: what one choice does to the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tab_pages import handlers_of, page_of

from uap_core.library import library
from uap_core.ui.studio import Studio

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


def test_another_network_leaves_a_pattern_that_fits_it_and_its_epsilon(panel: dict[str, Callable[..., Any]]) -> None:
    patterns, about, _ = panel["switch_network"](OTHER, PATTERN, {}, "sample:lion", (NETWORK, PATTERN))
    assert PATTERN in [key for _, key in patterns["choices"]]
    assert "value" not in patterns
    assert "right on" in about
    slider, note, stands = panel["fit_epsilon"](PATTERN, OTHER, {}, (NETWORK, PATTERN))
    assert slider == NOTHING
    assert "for resnet64, where it fools 87.2%" in note
    assert stands == (OTHER, PATTERN)


def test_a_pattern_that_is_not_to_be_had_for_a_network_gives_way_to_its_first(panel: dict[str, Callable[..., Any]]) -> None:
    patterns, *_ = panel["switch_network"](OTHER, "own:gone", {}, "sample:lion", (NETWORK, "own:gone"))
    assert patterns["value"] == patterns["choices"][0][1]
    slider, _, _ = panel["fit_epsilon"](patterns["value"], OTHER, {}, (NETWORK, "own:gone"))
    assert slider["value"] == 10


def test_where_the_first_pattern_comes_from_is_said_from_the_start() -> None:
    page = page_of(lambda studio, setup, tab: None)
    (note,) = (block for block in page.blocks.values() if getattr(block, "elem_id", "") == "pattern-note")
    first = library()[0]
    assert Studio().patterns(NETWORK, {})[0][1] == first.key
    assert f"{first.provenance['held_out']['fooling_rate']:.1%}" in str(note.value)
