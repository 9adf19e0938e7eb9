"""A run ends when its visitor asks for it, nobody else's does, and then it can be started again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest
from tab_pages import page_of

from uap_core.ui.runtime import stop_button
from uap_core.ui.runtime.run import Run
from uap_core.ui.runtime.stop_button import Halt
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.widgets import progress_note, status

ANNA, BEN = gr.Request(session_hash="anna"), gr.Request(session_hash="ben")


def counting(closed: list[int]) -> Any:
    """A run of a hundred steps that notes at which one it was closed."""

    def run() -> Iterator[tuple[str, int]]:
        step = 0
        try:
            for step in range(100):
                yield "under way", step
        finally:
            closed.append(step)

    return run


def test_it_ends_after_the_step_under_way_and_says_so() -> None:
    closed, halt = list[int](), Halt("Stopped.", 2)
    steps = halt.heeded(counting(closed))(ANNA)
    assert [next(steps) for _ in range(2)] == [("under way", 0), ("under way", 1)]
    assert "Stopping" in halt.ask(ANNA)
    *rest, (sentence, kept) = steps
    assert rest == []
    assert "Stopped." in sentence
    assert kept == gr.skip()
    assert closed == [1]


def test_a_run_that_begins_while_a_stopped_one_ends_is_whole() -> None:
    closed, halt = list[int](), Halt("Stopped.", 2)
    first = halt.heeded(counting(closed))(ANNA)
    next(first)
    halt.ask(ANNA)
    second = halt.heeded(counting(closed))(ANNA)
    assert next(second) == ("under way", 0)
    assert "Stopped." in list(first)[-1][0]
    assert len(list(second)) == 99
    assert closed == [0, 99]
    stopped = halt.heeded(counting(closed))(ANNA)
    next(stopped)
    assert "Stopping" in halt.ask(ANNA)
    assert len(list(stopped)) == 1


def test_another_visitors_run_goes_on() -> None:
    closed, halt = list[int](), Halt("Stopped.", 2)
    hers, his = (halt.heeded(counting(closed))(visitor) for visitor in (ANNA, BEN))
    next(hers), next(his)
    halt.ask(BEN)
    assert len(list(hers)) == 99
    assert len(list(his)) == 1
    assert closed == [99, 0]


def test_where_nothing_runs_nothing_is_said_and_the_next_run_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_button, "OVERTAKING", 0.0)  # the next run comes later than that
    halt = Halt("Stopped.", 2)
    assert halt.ask(ANNA) == gr.skip()
    assert len(list(halt.heeded(counting([]))(ANNA))) == 100
    assert halt.ask(ANNA) == gr.skip(), "it is over"
    stopped = halt.heeded(counting([]))(ANNA)
    next(stopped)
    halt.ask(ANNA)
    list(stopped)
    assert len(list(halt.heeded(counting([]))(ANNA))) == 100


def test_a_visitor_who_leaves_is_forgotten() -> None:
    closed, halt = list[int](), Halt("Stopped.", 2)
    steps = halt.heeded(counting(closed))(ANNA)
    next(steps)
    steps.close()  # type: ignore[attr-defined]  # as Gradio does
    assert closed == [0]
    assert halt.ask(ANNA) == gr.skip()


def test_an_error_is_nothing_that_it_hides() -> None:
    def broken() -> Iterator[str]:
        yield "under way"
        raise RuntimeError("broken")

    halt = Halt("Stopped.", 1)
    with pytest.raises(RuntimeError, match="broken"):
        list(halt.heeded(broken)(ANNA))
    assert halt.ask(ANNA) == gr.skip()


def test_a_stop_that_meets_the_end_says_what_the_run_said() -> None:
    """Else "Stopping…" would be the last word, or "Stopped." of a run that is done."""
    halt = Halt("Stopped.", 1)

    def short() -> Iterator[str]:
        yield progress_note("under way", 0.5)
        yield status("Done.")
        assert "Stopping" in halt.ask(ANNA)

    assert list(halt.heeded(short)(ANNA))[-2:] == [status("Done.")] * 2
    assert halt.ask(ANNA) == gr.skip()


def test_a_stop_during_the_last_step_says_done() -> None:
    halt = Halt("Stopped.", 2)

    def run() -> Iterator[tuple[str, int]]:
        yield progress_note("under way", 0.5), 1
        halt.ask(ANNA)
        yield status("Done."), 2

    assert list(halt.heeded(run)(ANNA))[-1] == (status("Done."), 2)


def test_stop_may_overtake_the_run_that_it_is_to_end_and_no_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    halt, closed = Halt("Stopped.", 1), list[int]()
    assert halt.ask(ANNA) == gr.skip()
    *_, last = halt.heeded(counting(closed))(ANNA)
    assert "Stopped." in last
    assert closed == [0]
    assert halt.ask(ANNA) == gr.skip()
    monkeypatch.setattr(stop_button, "OVERTAKING", 0.0)
    assert len(list(halt.heeded(counting(closed))(ANNA))) == 100, "it was long ago"
    assert len(list(halt.heeded(counting(closed))(BEN))) == 100


def test_stop_can_be_seen_while_its_run_is_under_way_alone() -> None:
    wired: list[gr.Button] = []

    def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
        run, stop, said = gr.Button("Run"), gr.Button("Stop", visible=False), gr.HTML()
        Run(studio, setup, run, stop).wire(counting([]), [], {"said": said}, "Stopped.")
        wired.extend((run, stop))

    events = {event.name or "": event for event in page_of(build).fns.values() if set(wired) & set(event.outputs)}
    (ended,) = [event for name, event in events.items() if name == "_ended"]
    (begun,) = [event for event in events.values() if event.js]
    assert begun.targets[0][0] == wired[0]._id
    assert [part._id for part in begun.outputs] == [part._id for part in ended.outputs] == [part._id for part in wired]
    assert "interactive: false" in str(begun.js)
    assert "visible: true" in str(begun.js)
    button, stop = ended.fn("resnet64")
    assert (button["interactive"], stop["visible"]) == (True, False)
