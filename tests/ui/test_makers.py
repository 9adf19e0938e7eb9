"""The verdict says when a pattern was made for another network, and one click brings the network's own."""

from __future__ import annotations

import json
from html import unescape

import gradio as gr
import numpy as np
import pytest
from tab_pages import handlers_of, looked, page_of

from uap_core.ui.makers import foreign, own_pattern
from uap_core.ui.state import RANDOM_SIGNS, Pattern, Studio
from uap_core.ui.tabs.apply import tab as apply_tab

STUDIO = Studio()


@pytest.fixture(scope="module")
def page() -> gr.Blocks:
    return page_of(lambda studio, setup, tab: apply_tab.build(studio, setup, None, tab))


def test_the_verdict_names_the_maker_and_offers_the_own_pattern(page: gr.Blocks) -> None:
    handlers = handlers_of(page)
    _, verdict, *_ = looked(page, "apply", "sample:lion", "vgg64", "resnet64-linf10.safetensors", {}, 10)
    assert "Pattern made for ResNet-64, tried on VGG-64." in verdict
    verdict = unescape(json.loads(unescape(verdict[verdict.index("{") : verdict.rindex("}") + 1]))["foreign"])
    assert "Use VGG-64’s own</button>" in verdict
    button = next(block for block in page.blocks.values() if getattr(block, "elem_id", "") == "turn-own")
    assert f"#{button.elem_id}" in verdict, "what is pressed is there"
    assert handlers["use_own"]("vgg64", ("", 4)) == ("vgg64-linf10.safetensors", 5)
    _, verdict, *_ = looked(page, "apply", "sample:lion", "vgg64", "vgg64-linf10.safetensors", {}, 10)
    assert "made for" not in verdict


def test_a_network_without_a_pattern_of_its_own_is_offered_none() -> None:
    said = foreign(STUDIO, "resnet64_universal", "resnet64-linf10.safetensors", {})
    assert "tried on Universally trained ResNet-64" in said
    assert "button" not in said
    assert own_pattern(STUDIO, "resnet64_universal") == ""


def test_makers_that_are_not_here_are_called_as_their_patterns_are() -> None:
    said = foreign(STUDIO, "efficientnet_lite0", "all-but-squeezenet1_1_caffe-linf10.safetensors", {})
    assert "made for mobilenet_v2 (TF), MobileNet V1 0.75 (TF), GoogLeNet (BVLC), tried on EfficientNet-Lite0." in said
    assert foreign(STUDIO, "squeezenet1_1_caffe", "all-linf10.safetensors", {}) == "", "it was one of them"


def test_a_visitors_pattern_is_foreign_where_it_says_so_itself() -> None:
    values = np.zeros((3, 64, 64), np.float32)
    own = {
        "told": Pattern("told", values, "linf", 0.1, {"network": "<b>"}),
        "silent": Pattern("silent", values, "linf", 0.1),
    }
    assert "made for &lt;b&gt;, tried on" in foreign(STUDIO, "vgg64", "own:told", own)
    for key in ("own:silent", "own:gone", RANDOM_SIGNS):
        assert foreign(STUDIO, "vgg64", key, own) == ""
