"""The ids under which one asks how far an upload is: short ones, forgotten soon after it. Gradio would keep them for good."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

from gradio.routes import file_upload_statuses
from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from uap_core.ui.serving.answers import API, NOTHING_HERE, below_root, refuse

LINGER = 5.0  # seconds after an upload in which one may still ask
EARLY = 60  # requests at a time for uploads that have not begun: a browser sends both at once, in either order
WRONG_ID = "This is no id of an upload."
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


class UploadIds:
    """Note which ids are in use, and let Gradio forget all others."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.uploads: Counter[str] = Counter()  # under way, or over for less than LINGER
        self.early = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, but for ids that are none and for too many that nobody uploads under."""
        asked = (scope["method"], below_root(scope).rstrip("/")) if scope["type"] == "http" else ("", "")
        ids = QueryParams(scope["query_string"]).getlist("upload_id") if scope["type"] == "http" else []
        one = ids[0] if len(ids) == 1 and _ID.fullmatch(ids[0]) else ""
        if asked == ("GET", f"{API}upload_progress"):
            await self._progress(one, scope, receive, send)
        elif asked != ("POST", f"{API}upload") or not ids:
            await self.app(scope, receive, send)
        elif not one:
            await refuse(scope, receive, send, 400, WRONG_ID)
        else:
            await self._upload(one, scope, receive, send)

    async def _upload(self, one: str, scope: Scope, receive: Receive, send: Send) -> None:
        self.uploads[one] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            asyncio.get_running_loop().call_later(LINGER, self._over, one)

    def _over(self, one: str) -> None:
        self.uploads[one] -= 1
        self._forget(one)

    async def _progress(self, one: str, scope: Scope, receive: Receive, send: Send) -> None:
        early = not self.uploads[one]
        if not one or (early and self.early >= EARLY):
            await refuse(scope, receive, send, 404, NOTHING_HERE)
            return
        self.early += early
        try:
            await self.app(scope, receive, send)
        finally:
            self.early -= early
            self._forget(one)

    def _forget(self, one: str) -> None:
        """Unless it is in use. Its internals, since Gradio has no call for this."""
        if self.uploads[one] <= 0:
            del self.uploads[one]
            file_upload_statuses._statuses.pop(one, None)
            file_upload_statuses._signals.pop(one, None)
