"""The library's order, and where its patterns are applied."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import gradio as gr
import pytest
from tab_pages import handlers_of, page_of

from uap_core.models.zoo import PAGE_MODEL
from uap_core.perturbations.library import library
from uap_core.ui.selection import Scene
from uap_core.ui.state import Studio
from uap_core.ui.tabs import library as library_tab
from uap_core.ui.tabs.library.gallery import answer, details, gallery, in_order

FOREIGN = "googlenet_bvlc-linf10.safetensors"


@pytest.fixture(scope="module")
def handlers() -> dict[str, Callable[..., Any]]:
    def build(studio: Studio, setup: Any, tab: gr.Tab) -> None:
        library_tab.build(studio, setup, gr.Tabs(), tab)

    return handlers_of(page_of(build))


@pytest.fixture(scope="module")
def apply(handlers: dict[str, Callable[..., Any]]) -> Callable[..., tuple[Any, ...]]:
    return handlers["apply"]


def test_patterns_of_networks_that_are_not_here_come_last() -> None:
    studio = Studio()
    here = {key for _, key in studio.networks()}
    usable = [not here.isdisjoint(entry.networks) for entry in in_order(studio)]
    assert usable == sorted(usable, reverse=True)
    assert not all(usable)


@pytest.mark.parametrize("network", ["efficientnet_lite0", "resnet64"])
def test_the_chosen_networks_own_patterns_come_first(network: str) -> None:
    shown = in_order(Studio(), network)
    own = sum(entry.networks == (network,) for entry in library())
    assert own
    assert all(entry.networks == (network,) for entry in shown[:own])
    html = gallery(Studio(), "", network)
    assert re.findall(r'data-pick="([^"]+)"', html)[:own] == [entry.key for entry in shown[:own]]


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


def test_what_no_network_takes_stands_last_greyed_and_leads_to_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Studio, "networks", lambda self: [("ResNet-64", "resnet64")])
    studio = Studio()
    html = gallery(studio, "resnet64-linf10.safetensors", "resnet64")
    ready, off = html.count("data-pick="), html.count('class="off"')
    assert ready == sum(entry.side == 64 for entry in library())
    assert ready + off == len(library())
    assert html.rindex("data-pick=") < html.index('class="off"')
    assert html.count("needs a network of 224 pixels:") == html.count('data-go="networks">fetch one') == off
    assert html.count('aria-pressed="true"') == 1
    assert "(built in)" not in html
    assert "l_inf" not in html


def test_details_speak_plainly() -> None:
    by_key = {entry.key: entry for entry in library()}
    html = details(Studio(), by_key["resnet64-linf10-deepfool.safetensors"])
    assert "<h3>ResNet-64, strength 10 of 255, by DeepFool</h3>" in html
    assert "at most 5\u202f000 looks at a picture, 8 pictures a step, gain 400" in html
    assert "2500 photographs that no pattern was made from" in html
    assert not re.search(r"=|True|resnet64|\(embedded\)", re.sub(r'[a-z-]+="[^"]*"', "", html))
    away = details(Studio(), by_key[FOREIGN])
    assert "GoogLeNet: not here; weights from" in away


def test_the_answer_counts_and_tells_of_the_chosen_networks_own() -> None:
    studio = Studio()
    own = next(entry for entry in library() if entry.key == "resnet64-linf10.safetensors")
    said = answer(studio, "resnet64")
    assert said.startswith(f"{len(library())} patterns are ready-made, for ")
    assert f"ResNet-64’s own, strength 10 of 255, fools {own.provenance['held_out']['fooling_rate']:.0%} of 2500" in said
    assert answer(studio, "resnet64_universal").endswith(" are here."), "which has none of its own"


@pytest.mark.parametrize("key", ["", "../x", "gone.safetensors"])
def test_a_pattern_that_is_not_there_is_a_sentence(handlers: dict[str, Callable[..., Any]], key: str) -> None:
    said, *_ = handlers["choose"]("resnet64", gr.EventData(None, {"key": key}))
    assert "no longer there" in said


def test_a_picked_pattern_says_which_network_it_would_go_to(handlers: dict[str, Callable[..., Any]]) -> None:
    said, key, about, use, file = handlers["choose"]("resnet64", gr.EventData(None, {"key": FOREIGN}))
    assert (key, said) == (FOREIGN, "")
    assert "GoogLeNet" in about
    assert use["value"] == "Apply it to EfficientNet-Lite0"
    assert file["visible"]
