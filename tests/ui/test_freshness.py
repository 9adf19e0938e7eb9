from __future__ import annotations

import gradio as gr
import numpy as np
import pytest
from tab_pages import handlers_of, page_of

from uap_core.ui.freshness import fingerprint, keep_fresh
from uap_core.ui.setup_panel import Setup
from uap_core.ui.studio import Pattern, Studio

NOTHING = (gr.skip(),) * 2


@pytest.fixture
def handlers() -> dict:
    def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
        tab.id = "mine"
        keep_fresh(setup, tab, lambda network, other: (f"{network} {other}",), [setup.network], [gr.HTML()], [gr.HTML()])

    return handlers_of(page_of(build))


def test_a_hidden_tab_computes_nothing(handlers: dict) -> None:
    assert handlers["follow"]("another", "", "a network", "x") == NOTHING


def test_an_open_one_follows_new_choices_and_stays_with_old_ones(handlers: dict) -> None:
    key, said = handlers["follow"]("mine", "", "a network", "x")
    assert said == "a network x"
    assert handlers["follow"]("mine", key, "a network", "y") == NOTHING, "what changes beside them is no reason"
    assert handlers["look"](key, "a network", "x") == NOTHING, "nor is opening it again"
    assert handlers["look"](key, "another network", "x")[1] == "another network x"


def test_patterns_of_one_name_are_told_apart_by_their_values() -> None:
    zeros, ones = ({"mine": Pattern("mine", np.full((3, 4, 4), value, np.float32), "linf", 0.1)} for value in (0, 1))
    assert fingerprint(["lion", zeros]) == fingerprint(["lion", dict(zeros)])
    found = {fingerprint(choices) for choices in (["lion", zeros], ["lion", ones], ["cat", zeros], ["lion", {}])}
    assert len(found) == 4


VIEWS = ("sweep", "compare", "normals", "directions", "labels", "lipschitz", "defences", "training")
PLACES = (*(f"{view}-status" for view in VIEWS), "photo-chart-note", "curve-note", "library-details")


@pytest.mark.parametrize("view", PLACES)
def test_a_view_that_is_not_filled_yet_says_so(view: str, whole_page: gr.Blocks) -> None:
    (place,) = (block for block in whole_page.blocks.values() if getattr(block, "elem_id", "") == view)
    assert "One moment" in str(place.value)


@pytest.fixture(scope="module")
def whole_page() -> gr.Blocks:
    from uap_core.ui.page import build

    return build(Studio())
