"""A run in the page: its button says how long it takes; it waits its turn, gives way to clicks, and ends when its visitor says.

``run_row`` lays out the buttons, ``Run.wire`` joins what a run needs: the waiting line and its low rank (run_queue.py,
low_priority.py), a lent graphics card (zero_gpu.py), Stop (stop_button.py). What is left is told by time_left.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.live_pictures import about_live
from uap_core.ui.runtime.named_outputs import Places, answering, filling, named
from uap_core.ui.runtime.run_queue import in_line
from uap_core.ui.runtime.stop_button import Halt
from uap_core.ui.runtime.time_left import about
from uap_core.ui.runtime.zero_gpu import lent
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.widgets import LONG, QUICK, SILENT, guarded, hide, status

LARGE = 128  # pixels: networks that take more than this need several times as long
# Done by the page itself: Stop stands there from the click on, though the run may have to wait in line.
OFF, HIDDEN, SHOWN = "interactive: false", "visible: false", "visible: true"


@dataclass(frozen=True)
class Run:
    """Its buttons: ``button`` starts it and is switched off while it runs, ``stop`` is seen only then, ``clear`` afterwards.

    ``offered(network)`` is what the button becomes when nothing runs any more.
    """

    studio: Studio
    setup: Setup
    button: gr.Button
    stop: gr.Button
    clear: gr.Button | None = None
    offered: Callable[[str], dict[str, Any]] | None = None

    def wire(
        self,
        measure: Callable[..., Iterator[Any]],
        inputs: Sequence[Any],
        places: Places,
        stopped: str,
        restore: Callable[..., Any] | None = None,
    ) -> Any:
        """Let the button start ``measure(*inputs)``, whose steps {place: value} fill ``places``; the first takes sentences,
        also the ones of waiting, of errors, and ``stopped``. Returns the event of the run, which has its end like any other.

        What it left is cleared: by ``restore(network, pattern)`` where something else stood there before.
        """
        filled = named(places)
        halt, outputs = Halt(stopped, len(filled)), list(filled.values())
        steps = in_line(self.studio.line, len(filled), 0)(lent(self.studio, answering(list(filled), measure)))
        buttons = [self.button, self.stop, *([self.clear] if self.clear else [])]
        self.button.click(None, None, buttons, js=_updates(OFF, SHOWN, HIDDEN, count=len(buttons)))
        running = self.button.click(halt.heeded(steps), list(inputs), outputs, **LONG)
        self.stop.click(halt.ask, None, outputs[0], **QUICK)
        running.then(guarded(len(buttons), SILENT)(self._ended), self.setup.network, buttons, **QUICK)
        if self.clear:
            emptied = filling(restore or _emptied(filled), filled)
            chosen = [self.setup.network, self.setup.pattern]
            self.clear.click(emptied, chosen if restore else None, outputs, **QUICK)
            self.clear.click(None, None, self.clear, js=f"() => ({_update(HIDDEN)})")
        return running

    def _ended(self, network: str) -> tuple[Any, ...]:
        back = self.offered(network) if self.offered else gr.update()
        ended = ({**back, "interactive": True}, gr.update(visible=False), gr.update(visible=True))
        return ended if self.clear else ended[:2]


def run_row(
    studio: Studio,
    setup: Setup,
    where: gr.Tab | gr.Accordion,
    prefix: str,
    words: str,
    seconds: tuple[float, float] | Callable[[str], float],
    why_not: Callable[[str], str] | None = None,
    silent: bool = False,
) -> Run:
    """Lay out the buttons ``prefix``-run, -stop and -clear, and a note, which is ``silent`` where another row says the same.

    ``words`` name the run and hold "({time})"; ``seconds`` are what it takes on small and on large networks, or what one
    ``network`` takes, asked when the tab or fold ``where`` the row stands is open. ``why_not(network)`` is the sentence that
    stands in place of the button where the run would not work; the studio's, when left out.
    """
    reason_of = why_not or studio.why_not_live

    def offered(network: str) -> dict[str, Any]:
        reason = reason_of(network)
        if reason:
            return dict(gr.update(visible=False))
        time = seconds(network) if callable(seconds) else seconds[studio.card(network).input_size > LARGE]
        return dict(gr.update(value=words.format(time=about(time)), visible=True))

    def said_why(network: str, reason: str) -> str:
        if silent or why_not:
            return status(reason) if reason and not silent else ""
        return about_live(studio, network)

    first = setup.network.value
    reason = reason_of(first)
    label = words.replace(" ({time})", "") if callable(seconds) else offered(first).get("value", "")
    with gr.Row(elem_classes="run-row"):
        run = gr.Button(label, variant="primary", visible=not reason, scale=0, min_width=330, elem_id=f"{prefix}-run")
        stop = gr.Button(_("Stop"), variant="stop", visible=False, scale=0, min_width=120, elem_id=f"{prefix}-stop")
        clear = gr.Button(_("Clear"), visible=False, scale=0, min_width=120, elem_id=f"{prefix}-clear")
    note = gr.HTML(said_why(first, reason), visible=not silent, elem_id=f"{prefix}-live-note")
    told = gr.State(("", "") if callable(seconds) else (first, reason))
    places = {"note": note, "told": told, "run": run}

    def look_live(network: str, before: tuple[str, str]) -> dict[str, Any]:
        now = (network, reason_of(network))
        if now == tuple(before):  # asked whenever that is opened: pictures may have been fetched meanwhile
            return {}
        return {"told": now, "note": said_why(*now), "run": offered(network)}

    setup.turn_of(where).click(
        filling(look_live, places), [setup.network, told], list(places.values()), trigger_mode="always_last", **QUICK
    )
    return Run(studio, setup, run, stop, clear, offered)


def _emptied(places: dict[Any, Any]) -> Callable[[], dict[Any, Any]]:
    def empty() -> dict[Any, Any]:
        return {name: gr.update(value="") if isinstance(part, gr.HTML) else hide() for name, part in places.items()}

    return empty


def _update(change: str) -> str:
    return f"{{__type__: 'update', {change}}}"


def _updates(*changes: str, count: int) -> str:
    return f"() => [{', '.join(map(_update, changes[:count]))}]"
