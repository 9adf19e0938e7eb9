"""Who is there: whoever reads the answers to what they asked. Runs of those who are not end, and their messages go."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
from starlette.types import ASGIApp, Receive, Scope, Send

from uap_core.ui.serving.answers import API, below_root

GRACE = 4.0  # seconds that a page has to come back for the answer
LOOK = 0.5  # seconds between two looks
REMEMBERED = 5000  # pages that once read an answer
_CALL = re.compile(rf"{API}call/(?:v2/)?\w+/(\w+)/?")


class Presence:
    """Which sessions read their answers now, or did a moment ago. For the server's thread alone."""

    def __init__(self) -> None:
        self._reading: dict[str, int] = {}
        self._last: dict[str, float] = {}  # of those that asked, and are not reading
        self._known: OrderedDict[str, None] = OrderedDict()

    def asked(self, session: str) -> None:
        """It sent a question: it has GRACE to come for the answer."""
        if session not in self._reading:
            self._last[session] = time.monotonic()

    @asynccontextmanager
    async def reading(self, session: str) -> AsyncIterator[None]:
        """It reads its answers until the block is left."""
        self._reading[session] = self._reading.get(session, 0) + 1
        if self._last.pop(session, None) is not None:  # nobody is known by listening where nothing was asked
            self._known[session] = None
            self._known.move_to_end(session)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        try:
            yield
        finally:
            self._reading[session] -= 1
            if not self._reading[session]:
                del self._reading[session]
                self._last[session] = time.monotonic()

    def is_known(self, session: str) -> bool:
        """Whether it ever read an answer."""
        return session in self._known

    def gone(self) -> list[str]:
        """Those who did not come for their answers in time, or asked nothing more since they had them."""
        return [session for session in self._last if self.is_gone(session)]

    def is_gone(self, session: str) -> bool:
        """Whether it is one of them."""
        return time.monotonic() - self._last.get(session, math.inf) > GRACE

    def forget(self, session: str) -> None:
        """Nothing of it is left."""
        self._last.pop(session, None)


async def watch(presence: Presence, demo: gr.Blocks) -> None:
    """Forever: end what runs or waits for those who are gone.

    Gradio ends a visitor's events when their stream is cut, and by the same means that are used here, but it waits without
    end for visitors who never open it.
    """
    while True:
        await asyncio.sleep(LOOK)
        for session in presence.gone():
            await end(presence, demo, session)


async def end(presence: Presence, demo: gr.Blocks, session: str) -> None:
    """End the events of a session, and drop the messages that nobody reads, unless it comes back meanwhile."""
    queue: Any = demo._queue
    if presence.is_gone(session) and queue.pending_event_ids_session.get(session):
        await queue.clean_events(session_hash=session)
    if presence.is_gone(session):  # nothing is awaited from here on: it cannot come back in the middle
        queue.pending_messages_per_session.pop(session, None)
        queue.pending_event_ids_session.pop(session, None)
        presence.forget(session)


class Listening:
    """Notice whose answers are being read."""

    def __init__(self, app: ASGIApp, presence: Presence) -> None:
        self.app, self.presence = app, presence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        session = reader(scope) if scope["type"] == "http" else ""
        if not session:
            await self.app(scope, receive, send)
            return
        async with self.presence.reading(session):
            await self.app(scope, receive, send)


def reader(scope: Scope) -> str:
    """The session whose answers this request reads: that of a page, or the number of a program's call. Empty for others."""
    if scope["method"] != "GET":
        return ""
    path = below_root(scope)
    if path.rstrip("/") == f"{API}queue/data":
        return parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
    found = _CALL.fullmatch(path)
    return found[1] if found else ""
