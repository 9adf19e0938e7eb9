"""A run ends when its visitor presses Stop: after the step under way, and with a sentence.

Not by Gradio's way of cancelling, which tells the page at once that nothing runs any more, while the run goes on to the end of
its step: a click on the run's own button was passed by until then, without a word.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.widgets import status

AHEAD = 0.15  # seconds that the page has to hear "Stopping…" before it hears the end
OVERTAKING = 0.5  # seconds that Stop may be ahead of the run that it is to end


def is_end(step: Any) -> bool:
    """Whether a step is the last of its run: its sentence has no meter."""
    said = step[0] if isinstance(step, tuple) else step
    return isinstance(said, str) and 'role="status"' in said and 'class="meter"' not in said


class Halt:
    """Which visitors have such a run under way, and who of them wants it to end. Safe to use from many threads."""

    def __init__(self, sentence: str, outputs: int) -> None:
        self._last = status(sentence) if outputs == 1 else (status(sentence), *(gr.skip(),) * (outputs - 1))
        self._asked: dict[str | None, list[threading.Event]] = {}  # of each visitor, one for each run under way
        self._early: dict[str | None, float] = {}  # when somebody asked who has no run
        self._lock = threading.Lock()

    def ask(self, request: gr.Request) -> Any:
        """Let the run of the visitor who asks end. What is shown until it has; nothing where nothing runs.

        Stop can be pressed as soon as the run's button was, and may overtake it on the way.
        """
        with self._lock:
            if request.session_hash not in self._asked:
                self._early = {visitor: at for visitor, at in self._early.items() if time.monotonic() - at < OVERTAKING} | {
                    request.session_hash: time.monotonic()
                }
                return gr.skip()
            for asked in self._asked[request.session_hash]:
                asked.set()
        return status(_("Stopping…"))

    def heeded(self, measure: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """``measure``, which also ends when its visitor asks for it."""

        def running(request: gr.Request, *args: Any) -> Iterator[Any]:
            asked = threading.Event()  # of this run alone: the next one may begin before it has ended
            with self._lock:
                if time.monotonic() - self._early.pop(request.session_hash, -OVERTAKING) < OVERTAKING:
                    asked.set()
                self._asked.setdefault(request.session_hash, []).append(asked)
            last: Any = self._last
            try:
                with closing(measure(*args)) as steps:  # type: ignore[type-var]  # handlers are generators
                    for step in steps:
                        yield step
                        if asked.is_set():
                            last = step if is_end(step) else self._last
                            break
                        last = step
            finally:
                with self._lock:
                    self._asked[request.session_hash].remove(asked)
                    if not self._asked[request.session_hash]:
                        del self._asked[request.session_hash]
            if asked.is_set():
                time.sleep(AHEAD)
                yield last  # of a run that was over before Stop reached it, its own last word

        running.__name__ = measure.__name__  # what the log and the page's list of calls say
        return running
