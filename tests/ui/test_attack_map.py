"""The map's buttons lead to tabs that are there, and to nothing that a stranger makes up."""

from __future__ import annotations

import gradio as gr
import pytest
from tab_pages import handlers_of

from uap_core.ui.around import attack_map


@pytest.fixture(scope="module")
def page() -> gr.Blocks:
    with gr.Blocks() as demo:
        box, places = attack_map.build()
        with gr.Tabs() as tabs:
            pass
        attack_map.wire(box, places, tabs)
    return demo


@pytest.mark.parametrize("odd", [None, {}, "why", ["tab"], {"tab": None}, {"tab": []}, {"tab": {}}, {"tab": "<b>"}, {"tab": 1}])
def test_odd_wishes_are_passed_over(page: gr.Blocks, odd: object) -> None:
    assert handlers_of(page)["go"](gr.EventData(None, odd)) == (gr.skip(), gr.skip())


def test_a_tab_is_opened_and_the_map_closed(page: gr.Blocks) -> None:
    opened, closed = handlers_of(page)["go"](gr.EventData(None, {"tab": "why"}))
    assert opened["selected"] == "why"
    assert closed["open"] is False
