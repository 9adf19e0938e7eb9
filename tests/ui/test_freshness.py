from __future__ import annotations

import gradio as gr
import numpy as np
import pytest
from tab_pages import handlers_of, page_of

from uap_core.errors import DatasetError
from uap_core.ui.runtime.lazy_refresh import fingerprint, keep_fresh
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio

NOTHING = (gr.skip(),) * 2


@pytest.fixture
def handlers() -> dict:
    def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
        keep_fresh(setup, tab, said, [setup.network], [gr.HTML()], [gr.HTML()])

    def said(network: str, other: str) -> tuple[str]:
        if network == "broken":
            raise DatasetError("This network is broken.")
        return (f"{network} {other}",)

    return handlers_of(page_of(build))


def test_a_tab_follows_new_choices_and_stays_with_old_ones(handlers: dict) -> None:
    key, said = handlers["look_said"]("", "a network", "x")
    assert said == "a network x"
    assert handlers["look_said"](key, "a network", "y") == NOTHING, "what changes beside them is no reason"
    assert handlers["look_said"](key, "another network", "x")[1] == "another network x"


def test_what_failed_is_tried_again(handlers: dict) -> None:
    key, said = handlers["look_said"]("", "broken", "x")
    assert "This network is broken." in said
    assert handlers["look_said"](key, "broken", "x") != NOTHING


def test_what_stood_there_before_a_choice_that_failed_comes_back(handlers: dict) -> None:
    key, said = handlers["look_said"]("", "a network", "x")
    failed, _ = handlers["look_said"](key, "broken", "x")
    assert handlers["look_said"](failed, "a network", "x") == (key, said)


def test_only_the_open_tab_is_asked(whole_page: gr.Blocks) -> None:
    """Each view answers its own tab's button, which refresh.js presses: no choice and no slider asks one beside it."""
    turns = {block._id: block.elem_id for block in whole_page.blocks.values() if str(block.elem_id).startswith("turn-")}
    views = [event for event in whole_page.fns.values() if event.targets and event.targets[0][0] in turns]
    assert len(views) > 10
    assert all(len(event.targets) == 1 for event in views)
    parts = {block._id: getattr(block, "elem_id", "") for block in whole_page.blocks.values()}
    listening = [
        event
        for event in whole_page.fns.values()
        if event.fn and SILENT & {(parts.get(target), name) for target, name in event.targets}
    ]
    assert not listening
    told = [event for event in whole_page.fns.values() if event.js == "() => uapTurns.chosen()"]
    assert {whole_page.fns[event.trigger_after].name for event in told} == CHOICES
    after = [event for event in whole_page.fns.values() if event.trigger_after in {event.trigger_after for event in told}]
    assert after == told, "and nothing else follows a choice"


def test_no_two_views_wait_for_one_button(whole_page: gr.Blocks) -> None:
    """Gradio's page would ask both anew for either that was asked meanwhile, and so without end."""
    waiting = [
        target
        for event in whole_page.fns.values()
        if event.trigger_mode == "always_last"
        for target in event.targets
        if target[0]
    ]
    assert len(waiting) > 20
    assert len(waiting) == len(set(waiting))


def test_patterns_of_one_name_are_told_apart_by_their_values() -> None:
    zeros, ones = ({"mine": Pattern("mine", np.full((3, 4, 4), value, np.float32), "linf", 0.1)} for value in (0, 1))
    assert fingerprint(["lion", "own:mine", zeros]) == fingerprint(["lion", "own:mine", dict(zeros)])
    found = {
        fingerprint([photo, "own:mine", own]) for photo, own in (("lion", zeros), ("lion", ones), ("cat", zeros), ("lion", {}))
    }
    assert len(found) == 4
    assert fingerprint(["own:mine", zeros]) == fingerprint(["own:mine", zeros | {"other": ones["mine"]}]), "not the chosen one"


def test_a_pattern_that_is_read_again_in_another_norm_is_another() -> None:
    values = np.full((3, 4, 4), 0.1, np.float32)
    readings = [{"mine": Pattern("mine", values, p, radius)} for p, radius in (("linf", 0.1), ("l2", 0.1), ("l2", 0.7))]
    assert len({fingerprint(["own:mine", reading]) for reading in readings}) == 3


SILENT = {(name, "change") for name in ("network", "pattern", "epsilon")}
CHOICES = {
    "pick_photo",
    "dream",
    "accept",
    "accept_image",
    "fit",
    "open_pattern",
    "open_array",
    "read_again",
    "take",
    "stage",
    "open_link",
}
VIEWS = ("sweep", "compare", "normals", "directions", "labels", "lipschitz", "defences", "training")
PLACES = (*(f"{view}-status" for view in VIEWS), "photo-chart-note", "curve-note")


@pytest.mark.parametrize("view", PLACES)
def test_a_view_that_is_not_filled_yet_says_so(view: str, whole_page: gr.Blocks) -> None:
    (place,) = (block for block in whole_page.blocks.values() if getattr(block, "elem_id", "") == view)
    assert "One moment" in str(place.value)


@pytest.fixture(scope="module")
def whole_page() -> gr.Blocks:
    from uap_core.ui.page import build

    return build(Studio())
