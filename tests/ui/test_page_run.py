"""The row of a run: what stands there when, and for how long it says that the run takes."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr
from tab_pages import handlers_of, page_of

from uap_core.ui.runtime.run import run_row
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.widgets import download

REASON = "Not with this one."


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    def why_not(network: str) -> str:
        return REASON if network == "vgg64" else ""

    def measure() -> Iterator[dict[str, str]]:
        yield {"said": "done"}

    row = run_row(studio, setup, tab, "thing", "Measure ({time})", (40.0, 400.0), why_not)
    row.wire(measure, [], {"said": gr.HTML(elem_id="said"), "file": download("File", "file")}, "Stopped.")


def test_a_run_is_offered_with_its_time_or_not_at_all() -> None:
    handlers = handlers_of(page_of(build))
    for network, time in (("resnet64", "about 40 s"), ("efficientnet_lite0", "about 7 min")):
        note, told, run = handlers["look_live"](network, ("", ""))
        assert (told, note) == ((network, ""), "")
        assert (run["value"], run["visible"]) == (f"Measure ({time})", True)
    note, told, run = handlers["look_live"]("vgg64", ("resnet64", ""))
    assert REASON in note
    assert not run["visible"]
    assert handlers["look_live"]("vgg64", told) == (gr.skip(),) * 3


def test_afterwards_it_is_offered_again_and_can_be_cleared() -> None:
    handlers = handlers_of(page_of(build))

    def visible(answer: tuple[dict, ...]) -> list[bool]:
        return [part["visible"] for part in answer]

    assert visible(handlers["_ended"]("resnet64")) == [True, False, True]
    assert visible(handlers["_ended"]("vgg64")) == [False, False, True]
    sentence, file = handlers["empty"]()
    assert sentence["value"] == ""
    assert not file["visible"]


def test_a_run_answers_by_name_and_ends_with_its_sentence() -> None:
    steps = handlers_of(page_of(build))["measure"]()
    assert list(steps) == [("done", gr.skip())]
