"""The row of a run: a button that says how long it takes, Stop only while it runs, a sentence where it cannot be offered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.i18n import _, ngettext
from uap_core.ui.runtime.stop_button import run_until_stopped
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.widgets import QUICK, guarded, hide, progress_note, status

LARGE = 128  # pixels: networks that take more than this need several times as long
MINUTES_FROM = 90.0  # seconds


@dataclass(frozen=True)
class RunRow:
    """Its buttons. ``offered(network)`` is what the button of the run becomes while nothing runs."""

    run: gr.Button
    stop: gr.Button
    clear: gr.Button
    network: gr.Dropdown
    offered: Callable[[str], Any]


def run_row(
    studio: Studio,
    setup: Setup,
    tab: gr.Tab,
    prefix: str,
    words: str,
    seconds: tuple[float, float],
    why_not: Callable[[str], str] | None = None,
    silent: bool = False,
) -> RunRow:
    """Lay out the buttons ``prefix``-run, -stop and -clear, and a note, which is ``silent`` where another row says the same.

    ``words`` name the run and hold "{time}"; ``seconds`` are what it takes on small and on large networks. ``why_not(network)``
    is the sentence that stands in place of the button where the run would not work; the studio's, when left out.
    """
    reason_of = why_not or studio.why_not_live

    def said_of(network: str) -> str:
        return words.format(time=about(seconds[studio.card(network).input_size > LARGE]))

    def offered(network: str) -> Any:
        return gr.update(value=said_of(network), visible=not reason_of(network))

    def said_why(reason: str) -> str:
        return status(reason) if reason and not silent else ""

    first = studio.first_network()
    reason = reason_of(first)
    with gr.Row():
        run = gr.Button(said_of(first), variant="primary", visible=not reason, scale=0, min_width=330, elem_id=f"{prefix}-run")
        stop = gr.Button(_("Stop"), variant="stop", visible=False, scale=0, min_width=120, elem_id=f"{prefix}-stop")
        clear = gr.Button(_("Clear"), visible=False, scale=0, min_width=120, elem_id=f"{prefix}-clear")
    note = gr.HTML(said_why(reason), visible=not silent, elem_id=f"{prefix}-live-note")
    told = gr.State((first, reason))

    def look_live(network: str, before: tuple[str, str]) -> tuple[Any, ...]:
        now = (network, reason_of(network))
        if now == before:  # asked whenever the tab is opened: pictures may have been fetched meanwhile
            return (gr.skip(),) * 3
        return now, said_why(now[1]), offered(network)

    setup.turn(str(tab.id)).click(
        guarded(3, 1)(look_live), [setup.network, told], [told, note, run], trigger_mode="always_last", **QUICK
    )
    return RunRow(run, stop, clear, setup.network, offered)


def wire_run(
    row: RunRow, measure: Callable[..., Iterator[Any]], inputs: Sequence[Any], outputs: Sequence[Any], sentence: str
) -> Any:
    """``run_until_stopped`` for a row: while ``measure`` runs, Stop stands in place of the button; afterwards what it left in
    ``outputs``, which belong to it alone, can be cleared. Returns the run's event."""
    buttons = [row.run, row.stop, row.clear]
    hidden, shown = gr.update(visible=False), gr.update(visible=True)

    def begun() -> tuple[Any, ...]:
        return hidden, shown, hidden

    def ended(network: str) -> tuple[Any, ...]:
        return row.offered(network), hidden, shown

    # First, since the page begins the second listener of a click when the first has ended.
    row.run.click(begun, None, buttons, **QUICK)
    running = run_until_stopped(row.run, row.stop, measure, inputs, outputs, sentence)
    running.then(ended, row.network, buttons, **QUICK)

    def clear() -> tuple[Any, ...]:
        return hidden, *(gr.update(value="") if isinstance(output, gr.HTML) else hide() for output in outputs)

    row.clear.click(clear, None, [row.clear, *outputs], **QUICK)
    return running


def about(seconds: float) -> str:
    """A time in round words."""
    if seconds < MINUTES_FROM:
        return _("about {count} s").format(count=5 * max(1, round(seconds / 5)))
    minutes = round(seconds / 60)
    return ngettext("about {count} minute", "about {count} minutes", minutes).format(count=minutes)


class Pace:
    """How far a run is, told by what it has taken so far."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def note(self, done: float, total: float, text: str = "") -> str:
        """Like "VGG-64: 12 of 27, about 30 s left", with a meter; ``text`` comes first."""
        passed, share = time.monotonic() - self._begun, done / total if total else 0.0
        counted = _("{done:.0f} of {total:.0f}").format(done=done, total=total) if total > 1 else ""
        left = _("{time} left").format(time=about(passed * (1 - share) / share)) if share > 0 and passed > 1 else ""
        return progress_note(": ".join(filter(None, [text, ", ".join(filter(None, [counted, left]))])), share)
