"""One choice in a list asks the server once, by the pointer and by the keyboard; a list that is only passed asks nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from quick_page import open_tab

LISTS = ("network", "pattern", "library-subject", "geo-solid", "geo-change")


@pytest.fixture
def asked(page) -> Iterator[list[int]]:
    """The numbers of the handlers that the page asks for."""
    found: list[int] = []

    def note(request: Any) -> None:
        if "queue/join" in request.url:
            found.append(json.loads(request.post_data)["fn_index"])

    page.on("request", note)
    yield found
    page.remove_listener("request", note)


def go_to(page: Any, name: str) -> None:
    """Bring a list into view."""
    if name.startswith("geo"):
        open_tab(page, "Beyond pictures")
        page.locator("#geo-graph-said", has_text="turn 17").wait_for()
        page.locator("#geo-domain input[value=clouds]").click()
        page.locator("#geo-cloud-stage canvas").first.wait_for()
    elif name.startswith("library"):
        open_tab(page, "Library")
        page.locator("#library-more > .label-wrap").click()
        page.locator("#library-convergence svg.wide").wait_for()


def choosing(page: Any, name: str) -> Iterator[tuple[str, Callable[[], None], int]]:
    """What a visitor does to a list, and how often it is to be asked for."""
    box = page.locator(f"#{name} input")

    def by_pointer() -> None:
        box.click()
        page.locator("[role=option][aria-selected=false]:visible").first.click()

    def by_keyboard() -> None:
        box.press("ArrowDown")
        page.locator("[role=option]:visible").first.wait_for()
        box.press("End")
        box.press("Enter")

    def by_passing() -> None:
        box.focus()
        page.locator("[role=option]:visible").first.wait_for()
        page.keyboard.press("Tab")

    yield "by the pointer", by_pointer, 1
    yield "by the keyboard", by_keyboard, 1
    yield "passing", by_passing, 0


def settle(page: Any, asked: list[int]) -> None:
    """Until nothing was asked for a while."""
    known = -1
    while len(asked) > known:
        known = len(asked)
        page.wait_for_timeout(1500)


@pytest.mark.parametrize("name", LISTS)
def test_one_choice_is_asked_once(page, asked: list[int], name: str) -> None:
    go_to(page, name)
    parts = page.evaluate("window.gradio_config.components.map(part => [part.id, part.props.elem_id])")
    numbers = {number for number, elem_id in parts if elem_id in (name, f"turn-list-{name}")}
    events = page.evaluate("window.gradio_config.dependencies.map(event => [event.id, event.backend_fn, event.targets])")
    own = {event for event, runs, targets in events if runs and any(target in numbers for target, _kind in targets)}
    assert own
    for what, act, wanted in choosing(page, name):
        settle(page, asked)
        asked.clear()
        before = page.locator(f"#{name} input").input_value()
        act()
        if wanted:  # a busy machine takes its time
            page.wait_for_function(
                "([name, before]) => document.querySelector(`#${name} input`).value !== before", arg=[name, before]
            )
            for _attempt in range(100):
                if own & set(asked):
                    break
                page.wait_for_timeout(100)
        settle(page, asked)
        assert sum(number in own for number in asked) == wanted, what
        assert (page.locator(f"#{name} input").input_value() != before) == bool(wanted), what
