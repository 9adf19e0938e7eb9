"""The catalogue of the tab Library: what is said of it stays while it is only passed, or while something is fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
import pytest
from tab_pages import handlers_of, page_of

from uap_core.io.download import Fetched
from uap_core.perturbations.remote import CATALOGUE
from uap_core.ui.tabs import library as library_tab
from uap_core.ui.tabs.library import catalogue

NOTHING = (gr.skip(),) * 5


@pytest.fixture(scope="module")
def handlers() -> dict[str, Callable[..., Any]]:
    return handlers_of(page_of(lambda studio, setup, tab: library_tab.build(studio, setup, gr.Tabs(render=False), tab)))


def test_what_is_told_of_the_catalogue_stays_until_another_is_chosen(handlers: dict[str, Callable[..., Any]]) -> None:
    first, second = CATALOGUE[0].key, CATALOGUE[1].key
    note, listed, get, stop, told = handlers["look_at_offer"](first, None)
    assert CATALOGUE[0].source in note
    assert listed["value"] == first
    assert (get["visible"], stop["visible"]) == (True, False)
    assert handlers["look_at_offer"](first, told) == NOTHING
    assert handlers["look_at_offer"](second, told)[1]["value"] == second


def test_while_one_is_fetched_it_can_be_stopped_whatever_is_looked_at(
    handlers: dict[str, Callable[..., Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(entry: Any) -> Iterator[Fetched]:
        yield Fetched(1, 2)

    monkeypatch.setattr(catalogue, "fetch", fetch)
    first, second = CATALOGUE[0].key, CATALOGUE[1].key
    *under_way, done = list(handlers["get_it"](first))
    _, _, get, stop, told = under_way[0]
    assert (get["visible"], stop["visible"]) == (False, True)
    assert len(under_way) == 2
    for looked_at in (first, second):
        assert handlers["look_at_offer"](looked_at, told) == NOTHING
    assert handlers["look_at_offer"](second, done[-1]) != NOTHING
