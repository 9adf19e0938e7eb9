"""One waiting line for all heavy work: first come, first served, everybody sees their place, and a full line says so.

The line is ours and not Gradio's, whose events would wait unseen where the page hides its spinners, and would not tell a view
that waits from one that hangs.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from uap_core.errors import SettingError
from uap_core.i18n import _, ngettext
from uap_core.settings import limits
from uap_core.ui.runtime.low_priority import giving_way
from uap_core.ui.widgets import guarded, progress_note, status

LOOK = 0.5  # seconds between two looks at the line
LOST = 120.0  # whoever has not been heard of for so long has left without a word, unless a step of theirs is under way
REMEMBERED = 20  # runs whose time tells how long a run takes


EACH = 2  # places of one visitor: a run, and one that waits for it


def of_one_address(waiting: int) -> int:
    """How many places of a line the visitors from one address have together; a school is often one address."""
    return max(EACH, waiting * 3 // 4)


@dataclass(eq=False)
class Place:
    """A run's place in the line, of the visitor of ``session`` at ``address``. ``heard`` is its last sign of life, ``at_work``
    whether a step is under way: it may take minutes."""

    session: str = ""
    address: str = ""
    heard: float = field(default_factory=time.monotonic)
    at_work: bool = False


@dataclass
class Line:
    """At most ``waiting`` places behind the one whose turn it is. Safe to use from many threads."""

    waiting: int

    def __post_init__(self) -> None:
        self._places: list[Place] = []
        self._lasted: deque[float] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()

    @contextmanager
    def place(self, session: str = "", address: str = "") -> Iterator[Place]:
        """A place at the end, until the block is left. Raises SettingError when the line is full, or the visitor has ``EACH``
        places in it already."""
        mine = Place(session, address)
        with self._lock:
            self._forget_the_lost()
            if session and sum(place.session == session for place in self._places) >= EACH:
                raise SettingError(_("Two runs of yours are under way or waiting. Stop one of them, or let it end, first."))
            of_address = sum(place.address == address for place in self._places)
            if address and of_address >= of_one_address(self.waiting):
                raise SettingError(
                    _(
                        "{count} runs from your network's address are under way or waiting, and no more can. Try again in a"
                        " minute; clicks that need no run still work."
                    ).format(count=of_address)
                )
            if len(self._places) > self.waiting:
                raise SettingError(
                    _(
                        "{count} runs are waiting already, and no more can. Try again in a minute; clicks that need no run"
                        " still work."
                    ).format(count=len(self._places) - 1)
                )
            self._places.append(mine)
        try:
            yield mine
        finally:
            with self._lock:
                if mine in self._places:
                    self._places.remove(mine)

    def ahead(self, mine: Place) -> int:
        """How many stand before it; 0 means that its turn has come, and it is not passed by until it rests. Counts as a sign of
        life."""
        with self._lock:
            mine.heard = time.monotonic()
            self._forget_the_lost()
            if mine not in self._places:  # it was thought lost: back to the end
                self._places.append(mine)
            before = self._places.index(mine)
            mine.at_work = before == 0
            return before

    def rest(self, mine: Place) -> None:
        """A step is over. Where nobody asks for the next one, its turn passes."""
        with self._lock:
            mine.heard, mine.at_work = time.monotonic(), False

    def lasted(self, seconds: float) -> None:
        """A run took so long."""
        self._lasted.append(seconds)

    def expected(self, ahead: int) -> str:
        """When it will be one's turn behind so many, in words."""
        if not self._lasted:
            return ngettext("{count} run is before yours.", "{count} runs are before yours.", ahead).format(count=ahead)
        seconds = ahead * sum(self._lasted) / len(self._lasted)
        if seconds < 90:
            number = max(5, 5 * round(seconds / 5))
            about = ngettext("{number} second", "{number} seconds", number).format(number=number)
        else:
            number = round(seconds / 60)
            about = ngettext("{number} minute", "{number} minutes", number).format(number=number)
        said = ngettext("{count} run is before yours: about {time}.", "{count} runs are before yours: about {time}.", ahead)
        return said.format(count=ahead, time=about)

    def _forget_the_lost(self) -> None:
        now = time.monotonic()
        self._places = [place for place in self._places if place.at_work or now - place.heard < LOST]


def _visitor() -> tuple[str, str]:
    """Session and address of the visitor whose handler this is; empty outside of one."""
    request = LocalContext.request.get(None)
    client = getattr(request, "client", None)
    return str(getattr(request, "session_hash", None) or ""), str(getattr(client, "host", ""))


def in_line(line: Line, outputs: int, message: int) -> Callable[[Callable[..., Iterator[Any]]], Callable[..., Any]]:
    """``guarded`` for handlers that stream a run: it waits in ``line`` for its turn, says so at output number ``message``,
    and ends with a sentence there when its time is up."""

    def decorate(function: Callable[..., Iterator[Any]]) -> Callable[..., Any]:
        def said(text: str) -> Any:
            return text if outputs == 1 else tuple(text if i == message else gr.skip() for i in range(outputs))

        def until_its_turn(mine: Place) -> Iterator[Any]:
            while ahead := line.ahead(mine):
                yield said(progress_note(_("Waiting. {expected}").format(expected=line.expected(ahead)), 0))
                time.sleep(LOOK)

        @wraps(function)
        def streaming(*args: Any) -> Iterator[Any]:
            most = limits().seconds
            with line.place(*_visitor()) as mine:
                yield from until_its_turn(mine)
                started = time.monotonic()
                with closing(giving_way(function(*args))) as run:  # type: ignore[arg-type]  # handlers are generators
                    for step in run:
                        line.rest(mine)
                        yield step
                        if time.monotonic() - started > most:
                            yield said(
                                status(
                                    _("Stopped after {seconds} seconds, the limit of a run here. What is there stays.").format(
                                        seconds=most
                                    )
                                )
                            )
                            break
                        yield from until_its_turn(mine)  # nothing, unless its turn passed meanwhile
                line.lasted(time.monotonic() - started)

        return guarded(outputs, message)(streaming)

    return decorate
