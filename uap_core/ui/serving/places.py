"""How much of Gradio's queue one visitor has at a time. What is more waits in front of it, and nobody else waits with it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from uap_core.ui.serving.answers import API, NOTHING_HERE, address, below_root, refuse
from uap_core.ui.serving.choices import WRONG_CHOICE, takes
from uap_core.ui.serving.presence import Presence

SESSION = 3  # events of a lane that one session has in Gradio at a time: running or waiting
WAITING, WAITING_OF_SESSION = 200, 20  # questions in front of the queue: of an address, and of a session
PATIENCE = 30.0  # seconds that they wait there
LOOK = 0.02  # seconds between two looks
NEW, NEW_A_SECOND = 60, 2.0  # sessions that never read an answer: so many at once from an address, and so many more a second
ADDRESSES = 10_000
LONGEST = 64  # characters of a session's name
_CALL = re.compile(rf"{API}call/(?:v2/)?(?P<name>\w+)/?")
BUSY = "Too much is being asked at the moment. Try again in a minute."


@dataclass(eq=False)
class Question:
    """One that waits to enter: whose it is, the lane (Gradio's concurrency_id) that it wants, whether its choices can be."""

    address: str
    session: str
    lane: str
    fits: bool = True
    go: asyncio.Event = field(default_factory=asyncio.Event)


class Newcomers:
    """How many sessions that nobody knows yet an address may still begin."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, address: str) -> bool:
        """Count one more, if that is allowed by now."""
        now = time.monotonic()
        left, then = self._left.pop(address, (float(NEW), now))
        left = min(NEW, left + (now - then) * NEW_A_SECOND)
        self._left[address] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > ADDRESSES:
            del self._left[next(iter(self._left))]
        return left >= 1


class Places:
    """Let questions into Gradio's queue in their order, as far as their session and their address have room there.

    ``shares`` are the events of each lane that one address may have there at a time.
    """

    def __init__(self, app: ASGIApp, presence: Presence, demo: gr.Blocks, shares: Mapping[str, int]) -> None:
        self.app, self.presence, self.demo, self.shares = app, presence, demo, shares
        self.newcomers = Newcomers()
        self.waiting: list[Question] = []
        self.entering: list[Question] = []
        self.looking: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on when it is its turn."""
        if scope["type"] != "http" or scope["method"] != "POST" or not _asks(below_root(scope)):
            await self.app(scope, receive, send)
            return
        call = _CALL.fullmatch(below_root(scope))
        called = self._offered(call["name"]) if call else None
        if call and called is None:
            await refuse(scope, receive, send, 404, NOTHING_HERE)
            return
        body = await _whole(receive)
        if body is None:
            return
        question = self._question(scope, body, called)
        if len(question.session) > LONGEST:
            await refuse(scope, receive, send, 400, "This is no session.")
            return
        if not question.fits:
            await refuse(scope, receive, send, 422, WRONG_CHOICE)
            return
        admitted = await self._turn(question, receive)
        if admitted is None:
            return
        if not admitted:
            await refuse(scope, receive, send, 503, BUSY)
            return
        try:
            await self._enter(question, scope, body, receive, send)
        finally:
            self.entering.remove(question)

    async def _enter(self, question: Question, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def noting(message: Message) -> None:
            if not question.session and message["type"] == "http.response.body":
                question.session = _text(_parsed(message.get("body", b"")).get("event_id"))  # by which a program reads it
            if question.session:
                self.presence.asked(question.session)
            await send(message)

        if question.session:
            self.presence.asked(question.session)
        await self.app(scope, again, noting)

    def _offered(self, name: str) -> Any:
        """The handler that programs may call by this name, or None. Gradio would find the page's own ones by name too."""
        return next((one for one in self.demo.fns.values() if one.api_name == name and one.api_visibility == "public"), None)

    def _question(self, scope: Scope, body: bytes, called: Any) -> Question:
        """What is asked for: the handler that a program ``called`` by name, where Gradio heeds no number; else by number."""
        asked = _parsed(body)
        number = asked.get("fn_index") if called is None else None
        # Gradio takes "3", 3.0 and true for numbers too: whoever sends those would get past what is looked at here.
        known = number is None or type(number) is int
        handler = self.demo.fns.get(number) if known and number is not None else called
        fits = known and (handler is None or takes(handler.inputs, asked.get("data")))
        return Question(address(scope), _text(asked.get("session_hash")), _lane(handler), fits)

    async def _turn(self, question: Question, receive: Receive) -> bool | None:
        """Whether it may enter; None when whoever asked has left meanwhile."""
        ahead = [other for other in self.waiting if other.address == question.address]
        of_session = sum(other.session == question.session != "" for other in ahead)
        if len(ahead) >= WAITING or of_session >= WAITING_OF_SESSION:
            return False
        self.waiting.append(question)
        self._admit()
        if question.go.is_set():
            return True
        if self.looking is None or self.looking.done():
            self.looking = asyncio.create_task(self._look())
        going, leaving = asyncio.ensure_future(question.go.wait()), asyncio.ensure_future(receive())
        done, pending = await asyncio.wait((going, leaving), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if question.go.is_set() and leaving not in done:
            return True
        (self.entering if question.go.is_set() else self.waiting).remove(question)
        return None if leaving in done else False

    async def _look(self) -> None:
        while self.waiting:
            await asyncio.sleep(LOOK)
            self._admit()

    def _admit(self) -> None:
        """Let in who has room, in the order of coming."""
        there: Counter[tuple[str, str]] = Counter()
        for address_there, session, lane in self._there():
            there[(address_there, self._kind(session, lane))] += 1
            there[(f"session {session}", lane)] += bool(session)
        for question in list(self.waiting):
            mine, all_of_us = (
                (f"session {question.session}", question.lane),
                (
                    question.address,
                    self._kind(question.session, question.lane),
                ),
            )
            if there[mine] >= SESSION or there[all_of_us] >= self.shares.get(all_of_us[1], SESSION):
                continue
            if not self.presence.is_known(question.session) and not self.newcomers.take(question.address):
                continue
            there[mine] += bool(question.session)
            there[all_of_us] += 1
            self.waiting.remove(question)
            self.entering.append(question)
            question.go.set()

    def _kind(self, session: str, lane: str) -> str:
        """What counts together: long runs of sessions that never read an answer apart from all others."""
        return f"new {lane}" if lane == "long" and not self.presence.is_known(session) else lane

    def _there(self) -> Iterator[tuple[str, str, str]]:
        """(address, session, lane) of everything in Gradio's queue and at work, and of what is on its way there."""
        queue: Any = self.demo._queue
        for question in self.entering:
            yield question.address, question.session, question.lane
        waiting = [event for lane in queue.event_queue_per_concurrency_id.values() for event in lane.queue]
        running = [event for job in queue.active_jobs if job for event in job]
        for event in waiting + running:
            yield address(event.request.scope), event.session_hash, str(event.concurrency_id)


def _asks(path: str) -> bool:
    return path.rstrip("/") == f"{API}queue/join" or _CALL.fullmatch(path) is not None


def _lane(handler: Any) -> str:
    return str(handler.concurrency_id) if handler is not None else "quick"


async def _whole(receive: Receive) -> bytes | None:
    """The body, whose size is limited already; None when whoever sent it has left."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _parsed(body: bytes) -> dict[str, Any]:
    """The JSON object in it; an empty one where there is none, which Gradio then says."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
