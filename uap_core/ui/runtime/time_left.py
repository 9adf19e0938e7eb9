"""How long something takes, and how long it still will, in words that a visitor can plan by."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from html import escape
from typing import TypeVar

from uap_core.i18n import _, ngettext
from uap_core.ui.runtime.low_priority import LIVING
from uap_core.ui.widgets import meter

Step = TypeVar("Step")

TICK = 1.0  # seconds between two looks at the clock while a step is under way
SURE_AFTER = 2.0  # seconds, from when on what is left is told by what is done
NEARLY = 0.98  # share of a run from when on no time left means that it ends
BEGUN = 0.15  # share of a run after which its own pace tells more than what was expected
_END = object()


def about(seconds: float) -> str:
    """So many seconds in words, as roughly as they are known: "about 15 s", "about 3 min"."""
    if seconds >= 100:
        return _("about {number} min").format(number=round(seconds / 60))
    return _("about {number} s").format(number=max(1, round(seconds)) if seconds < 10 else 5 * round(seconds / 5))


class Countdown:
    """The seconds that a run still takes; ``expected`` (seconds) counts until the run shows its own pace.

    They fall, until what was promised is over and the run is not: then its own pace tells anew.
    """

    def __init__(self, expected: float) -> None:
        self._started = self._asked = time.monotonic()
        self._expected, self._share, self._left = expected, -1.0, math.inf

    def left(self, share: float) -> float:
        """Seconds that are left once ``share`` (0 to 1) of the work is done; while it stays the same, they run down."""
        now = time.monotonic()
        spent = now - self._started
        own = spent * (1 - share) / share if share else 0.0
        passed = self._left - (now - self._asked)
        left = passed
        if share != self._share:
            left = min(passed, self._expected - spent if share < BEGUN else own)
            left = own if left <= 0 else left
        self._left = max(0.0, left)
        self._share, self._asked = share, now
        return self._left

    def said(self, share: float) -> str:
        """The same in words."""
        exactly = self.left(share)
        if not exactly and share < NEARLY:
            return _("longer than expected")
        left = round(exactly)
        if left < 2:
            return _("a moment left")
        if left > 100:
            return _("about {number} min left").format(number=round(left / 60))
        return ngettext("about {number} s left", "about {number} s left", left).format(number=left)


class Pace:
    """How far a run is, and how long it still takes by what it has taken so far."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def note(self, done: float, total: float, text: str = "") -> str:
        """Like "VGG-64: 12 of 27, about 30 s left", with a meter; ``text`` comes first.

        What is left runs down in the page (countdown.js) until the next such sentence.
        """
        passed, share = time.monotonic() - self._begun, done / total if total else 0.0
        parts = [escape(_("{done:.0f} of {total:.0f}").format(done=done, total=total))] if total > 1 else []
        if share > 0 and passed > SURE_AFTER:
            words, left = _("about {seconds} s left"), max(1, round(passed * (1 - share) / share))
            shown = escape(words.format(seconds=left))
            parts.append(f'<span data-seconds="{left}" data-words="{escape(words)}" aria-hidden="true">{shown}</span>')
        return meter(": ".join(filter(None, [escape(text), ", ".join(parts)])), share)


def ticking(steps: Iterator[Step], every: float = TICK) -> Iterator[Step | None]:
    """``steps``, computed in a thread of their own, and None for each ``every`` seconds that one lets wait.

    So whoever watches a slow step sees the time run, and can stop the run after it.
    """
    with ThreadPoolExecutor(1) as thread:
        LIVING.add(thread)
        try:
            while True:
                coming = thread.submit(copy_context().run, lambda: next(steps, _END))
                while not wait([coming], every).done:
                    yield None
                step = coming.result()
                if step is _END:
                    return
                yield step  # type: ignore[misc]  # all but the end are steps
        finally:
            close = getattr(steps, "close", None)
            if close is not None:
                thread.submit(close).result()
            LIVING.discard(thread)
