"""The library's order, and where its patterns are applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
import pytest
from tab_pages import handlers_of, page_of

from uap_core.models.zoo import PAGE_MODEL
from uap_core.ui.selection import Scene
from uap_core.ui.state import Studio
from uap_core.ui.tabs import library as library_tab

FOREIGN = "googlenet_bvlc-linf10.safetensors"


@pytest.fixture(scope="module")
def apply() -> Callable[..., tuple[Any, ...]]:
    def build(studio: Studio, setup: Any, tab: gr.Tab) -> None:
        library_tab.build(studio, setup, gr.Tabs(), tab)

    return handlers_of(page_of(build))["apply"]


def test_patterns_of_networks_that_are_not_here_come_last() -> None:
    studio = Studio()
    here = {key for _, key in studio.networks()}
    usable = [not here.isdisjoint(entry.networks) for entry in library_tab.in_order(studio)]
    assert usable == sorted(usable, reverse=True)
    assert not all(usable)


def test_a_pattern_that_fits_is_applied_to_the_chosen_network(apply: Callable[..., tuple[Any, ...]]) -> None:
    said, asked, staged, tabs = apply(FOREIGN, PAGE_MODEL, "sample:cat", ("", 3), (None, 7))
    assert (said, asked, staged, tabs["selected"]) == ("", (FOREIGN, 4), gr.skip(), "apply")


def test_one_of_an_absent_network_goes_to_a_network_of_its_size(apply: Callable[..., tuple[Any, ...]]) -> None:
    said, asked, staged, tabs = apply(FOREIGN, "resnet64", "sample:cat", ("", 3), (None, 7))
    assert (said, asked, tabs["selected"]) == ("", gr.skip(), "apply")
    assert staged == (Scene("sample:cat", PAGE_MODEL, FOREIGN, 10), 8)


def test_one_of_a_network_that_is_here_goes_to_it(apply: Callable[..., tuple[Any, ...]]) -> None:
    *_, (scene, _), _tabs = apply("squeezenet1_1_caffe-linf10.safetensors", "resnet64", "sample:cat", ("", 3), (None, 7))
    assert scene.network == "squeezenet1_1_caffe"


def test_where_nothing_takes_it_a_sentence_says_so(
    apply: Callable[..., tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Studio, "networks", lambda self: [("ResNet-64", "resnet64")])
    said, *rest = apply(FOREIGN, "resnet64", "sample:cat", ("", 3), (None, 7))
    assert "No network of 224 x 224 pixels is here" in said
    assert rest == [gr.skip()] * 3
