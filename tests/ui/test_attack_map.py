"""The map's buttons lead to tabs that are there."""

from __future__ import annotations

import re

import gradio as gr

from uap_core.ui.page import build
from uap_core.ui.state import Studio


def test_every_way_of_the_page_leads_somewhere() -> None:
    page = build(Studio())
    blocks = list(page.blocks.values())
    ways = {way for block in blocks for way in re.findall(r'data-go="(\w+)"', str(getattr(block, "value", "")))}
    there = {str(block.elem_id).removeprefix("go-") for block in blocks if str(getattr(block, "elem_id", "")).startswith("go-")}
    assert len(ways) >= 8, "the map and the last line of each tab"
    assert ways <= there
    assert there == {block.id for block in blocks if isinstance(block, gr.Tab)}


def test_a_way_into_the_lab_opens_both_its_tabs() -> None:
    page = build(Studio())
    blocks = {getattr(block, "elem_id", ""): block for block in page.blocks.values()}
    press = next(event for event in page.fns.values() if event.targets == [(blocks["go-networks"]._id, "click")])
    opened = {part.elem_id: update["selected"] for part, update in press.fn().items()}
    assert opened == {"tabs": "lab", "lab-tabs": "networks"}
