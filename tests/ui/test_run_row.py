"""The row of a run: what stands there when, and for how long it says that the run takes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import gradio as gr
import pytest
from tab_pages import handlers_of, page_of

from uap_core.ui.runtime import run_row
from uap_core.ui.runtime.run_row import Pace, about, wire_run
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio

REASON = "Not with this one."


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    def why_not(network: str) -> str:
        return REASON if network == "vgg64" else ""

    def measure() -> Iterator[str]:
        yield "done"

    row = run_row.run_row(studio, setup, tab, "thing", "Measure ({time})", (40.0, 400.0), why_not)
    wire_run(row, measure, [], [gr.HTML()], "Stopped.")


def test_a_run_is_offered_with_its_time_or_not_at_all() -> None:
    handlers = handlers_of(page_of(build))
    for network, time in (("resnet64", "about 40 s"), ("efficientnet_lite0", "about 7 minutes")):
        told, note, run = handlers["look_live"](network, ("", ""))
        assert (told, note) == ((network, ""), "")
        assert (run["value"], run["visible"]) == (f"Measure ({time})", True)
    told, note, run = handlers["look_live"]("vgg64", ("resnet64", ""))
    assert REASON in note
    assert not run["visible"]
    assert handlers["look_live"]("vgg64", told) == (gr.skip(),) * 3


def test_stop_is_there_while_something_runs_and_clear_afterwards() -> None:
    handlers = handlers_of(page_of(build))

    def visible(answer: tuple[dict, ...]) -> list[bool]:
        return [part["visible"] for part in answer]

    assert visible(handlers["begun"]()) == [False, True, False]
    assert visible(handlers["ended"]("resnet64")) == [True, False, True]
    assert visible(handlers["ended"]("vgg64")) == [False, False, True]
    cleared, left = handlers["clear"]()
    assert not cleared["visible"]
    assert left["value"] == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "about 5 s"), (33, "about 35 s"), (89, "about 90 s"), (95, "about 2 minutes"), (600, "about 10 minutes")],
)
def test_times_are_round(seconds: float, words: str) -> None:
    assert about(seconds) == words


def test_the_pace_counts_and_tells_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(run_row.time, "monotonic", lambda: now[0])
    pace = Pace()
    assert "0 of 27<" in pace.note(0, 27)
    now[0] += 24
    note = pace.note(12, 27, "VGG-64")
    assert "VGG-64: 12 of 27, about 30 s left<" in note
    assert re.search(r"width:44%", note)
    assert "left" not in pace.note(0, 27)
