"""What takes seconds: a visitor's own large mesh or graph. It waits its turn, says what is left, and ends on Stop.

Small ones, and all of the room's own, answer at once and stand in no line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.runtime.named_outputs import answering
from uap_core.ui.runtime.run_queue import Line, in_line
from uap_core.ui.runtime.stop_button import Halt
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.widgets import LONG, QUICK, awaited, guarded

Steps = Iterator[dict[Any, Any]]


class Work:
    """Long work of one view: it fills ``places``, of which the first takes its sentences, and ``stop`` ends it."""

    def __init__(self, line: Line, places: Sequence[Any], elem_id: str) -> None:
        self.line, self.places = line, list(places)
        self.stop = gr.Button(
            _("Stop"), variant="stop", visible=False, size="sm", scale=0, min_width=120, elem_id=elem_id, render=False
        )
        self._halt = Halt(_("Stopped. What was drawn stays."), len(self.places))

    def laid_out(self) -> None:
        """Put the button here; it is hidden while nothing runs."""
        self.stop.render()
        self.stop.click(self._halt.ask, None, self.places[0], **QUICK)

    def wire(self, event: Callable[..., Any], handler: Callable[..., Steps], inputs: Sequence[Any]) -> None:
        """Let ``event`` start ``handler(*inputs)``, whose steps are {place: value}."""
        running = self._halt.heeded(guarded(len(self.places), 0)(answering(self.places, handler)))
        shown = f"() => [{json.dumps(awaited())}, {{__type__: 'update', visible: true}}]"
        event(None, None, [self.places[0], self.stop], js=shown, trigger_mode="multiple")
        ended = event(running, list(inputs), self.places, **LONG)
        ended.then(None, None, self.stop, js="() => ({__type__: 'update', visible: false})")

    def in_turn(self, steps: Steps) -> Iterator[Any]:
        """``steps`` behind the runs of others; for the handlers of ``wire``."""

        def queued() -> Steps:
            with closing(steps):  # type: ignore[type-var]  # handlers are generators
                yield from steps

        yield from in_line(self.line, len(self.places), 0)(answering(self.places, queued))()

    def counted(self, parts: Iterator[Any], words: str) -> Iterator[Any]:
        """Of ``parts`` the shares done (0 to 1) as sentences, with what is left; last, what comes after them as it is."""
        pace = Pace()
        for part in parts:
            yield {self.places[0]: pace.note(part, 1, words)} if isinstance(part, float) else part
