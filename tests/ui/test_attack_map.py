"""The map's buttons lead to tabs that are there."""

from __future__ import annotations

import re
from typing import Any

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


def test_the_last_lines_lead_through_all_rooms_of_the_lab_and_back_to_the_beginning() -> None:
    page = build(Studio())
    ends = dict[str, str]()
    for block in page.blocks.values():
        found = re.findall(r'<p class="next">Next: <button type="button" data-go="(\w+)"', str(getattr(block, "value", "")))
        if found:
            (ends[tab_of(block).id],) = found
    lab = next(block for block in page.blocks.values() if getattr(block, "elem_id", "") == "lab-tabs")
    rooms = [room.id for room in lab.children if isinstance(room, gr.Tab)]
    here, passed = ends["defences"], list[str]()
    while here in rooms and here not in passed:
        passed.append(here)
        here = ends[here]
    assert passed == rooms
    assert here == "apply"


def tab_of(block: Any) -> gr.Tab:
    """The innermost tab that a block stands in."""
    while not isinstance(block, gr.Tab):
        block = block.parent
    return block


def test_a_way_into_the_lab_opens_both_its_tabs() -> None:
    page = build(Studio())
    blocks = {getattr(block, "elem_id", ""): block for block in page.blocks.values()}
    press = next(event for event in page.fns.values() if event.targets == [(blocks["go-networks"]._id, "click")])
    opened = {part.elem_id: update["selected"] for part, update in press.fn().items()}
    assert opened == {"tabs": "lab", "lab-tabs": "networks"}
