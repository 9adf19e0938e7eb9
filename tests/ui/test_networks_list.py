"""The tab Networks without a browser: its list, what is told of one, and what a program may send."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from tab_pages import handlers_of, page_of

from uap_core.models.weights import HERE, state
from uap_core.models.zoo import Zoo
from uap_core.ui.html.words import listed_networks
from uap_core.ui.state import Studio
from uap_core.ui.tabs import networks as networks_tab
from uap_core.ui.tabs.networks.listing import answer, copies, details, listing


@pytest.fixture(scope="module")
def handlers() -> dict[str, Callable[..., Any]]:
    return handlers_of(page_of(lambda studio, setup, tab: networks_tab.build(studio, setup, gr.Tabs(render=False), tab)))


def test_networks_that_are_not_here_come_last() -> None:
    studio = Studio()
    html = listing(studio, "resnet64")
    kinds = re.findall(r'<tr class="(\w+)" data-pick="([^"]+)"', html)
    assert len(kinds) == len(studio.zoo.cards())
    assert [kind == "here" for kind, _ in kinds] == sorted((kind == "here" for kind, _ in kinds), reverse=True)
    assert {key for kind, key in kinds if kind == "here"} == {
        k for k, card in studio.zoo.cards().items() if state(card) == HERE
    }
    assert re.findall(r'aria-pressed="true">(.*?)<', html) == ["ResNet-64"]


def test_what_stands_twice_and_what_is_named_elsewhere_is_told() -> None:
    cards = Studio().zoo.cards()
    said = copies(cards)
    assert "Listed more than once, with different weights (named below each): SqueezeNet 1.1." in said
    assert "also name GoogLeNet, MobileNet V1, MobileNet V2: copies" in said
    assert "more than once" not in copies({key: card for key, card in cards.items() if key != "squeezenet1_1"})


def test_what_a_network_learned_from_is_not_called_unseen() -> None:
    html = details(Studio().card("efficientnet_lite0"))
    assert "(imagenet-sample-800); the network learned from these pictures, the patterns did not" in html
    assert "training images" not in html


def test_lists_call_a_copy_of_the_weights_only_where_a_name_is_shared() -> None:
    cards = Studio().zoo.cards()
    alone = [name for name, _key in listed_networks([cards["squeezenet1_1_caffe"], cards["resnet64_robust"]])]
    assert alone == ["SqueezeNet 1.1, 224 px", "Robust ResNet-64, 64 px"]
    both = [name for name, _key in listed_networks([cards["squeezenet1_1_caffe"], cards["squeezenet1_1"]])]
    assert both == ["SqueezeNet 1.1 (Caffe), 224 px", "SqueezeNet 1.1, 224 px"]


def test_names_are_for_people_and_each_is_one_of_a_kind() -> None:
    html = listing(Studio(), "")
    names = re.findall(r'aria-pressed="\w+">(.*?)</button><small>(.*?)</small>', html)
    assert len(set(names)) == len(names)
    assert ("ResNet-64", "built in") in names
    assert ("SqueezeNet 1.1", "Caffe") in names
    assert ("SqueezeNet 1.1", "torchvision") in names
    assert "_" not in "".join(name for name, _ in names)


def test_a_card_that_cannot_be_read_is_said_above_the_others(tmp_path: Path) -> None:
    (tmp_path / "<bad>.json").write_text("{", encoding="utf-8")
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    html = listing(Studio(Zoo([tmp_path])), "resnet64")
    said, _, table = html.partition("<table")
    assert "&lt;bad&gt;.json" in said
    assert "No such file" in said
    assert str(tmp_path) not in html
    assert 'data-pick="resnet64"' in table
    assert "cannot be read" not in listing(Studio(), "resnet64")


def test_the_answer_counts_what_is_here_and_what_can_be_fetched() -> None:
    studio = Studio()
    cards = studio.zoo.cards().values()
    here = [card for card in cards if state(card) == HERE]
    more = [card for card in cards if card not in here and card.url]
    assert answer(studio).startswith(f"{len(here)} are ready here, {len(more)} more can be fetched")


@pytest.mark.parametrize("key", ["resnet50", "timm:resnet18.a1_in1k"])
def test_no_folder_of_this_machine_is_told(key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "secret"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "secret"))
    html = details(Studio().card(key))
    assert "Without a connection" in html
    assert "secret" not in html
    assert str(Path.home()) not in html


def test_a_row_is_looked_at_and_what_a_program_sends_is_a_sentence(handlers: dict[str, Callable[..., Any]]) -> None:
    said, key, hits = handlers["pick"](gr.EventData(None, {"key": "vgg64"}))
    assert (said, key, hits["value"]) == (gr.skip(), "vgg64", None)
    about, use, get, stop = handlers["describe"]("vgg64", "")
    assert "<h3>VGG-64</h3>" in about
    assert (use["visible"], use["value"], get["visible"], stop["visible"]) == (True, "Use VGG-64", False, False)
    for sent in ({"key": "<b>none</b>"}, {}, None, {"key": ["x"]}):
        said, *rest = handlers["pick"](gr.EventData(None, sent))
        assert 'role="alert"' in said
        assert rest == [gr.skip()] * 2


def test_at_first_the_chosen_network_is_looked_at(handlers: dict[str, Callable[..., Any]]) -> None:
    assert handlers["begin"]("", "resnet64") == "resnet64"
    assert handlers["begin"]("vgg64", "resnet64") == "vgg64"
    assert handlers["use_it"]("vgg64", ("", 4))[0] == ("vgg64", 5)
