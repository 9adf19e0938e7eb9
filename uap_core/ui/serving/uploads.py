"""Uploads, one folder each until they are whole: what is cut off, or has another name than files have, leaves nothing.

Gradio's own route would leave such files among the others for ever. Its reader of uploads is used as it is.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qs

import anyio
from anyio.to_thread import run_sync
from gradio.route_utils import MultiPartException, upload_fn
from gradio.routes import file_upload_statuses
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from uap_core.ui.serving.answers import API, address, below_root, refuse
from uap_core.ui.serving.bodies import MEGABYTE
from uap_core.ui.serving.room import STAGING, Room, clear

AT_ONCE, AT_ONCE_EACH = 60, 30  # uploads: of all addresses, and of one, which may be a school's
SECONDS = 300.0  # that one may take
FULL = "There is no room for this at the moment. Try again in a minute, or with a smaller file."


class Uploads:
    """Answer Gradio's upload route: the paths of the files, which handlers are then given."""

    def __init__(self, app: ASGIApp, room: Room, most: int) -> None:
        self.app, self.room, self.most = app, room, most
        self.now: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an upload; pass on all else."""
        if scope["type"] != "http" or scope["method"] != "POST" or below_root(scope).rstrip("/") != f"{API}upload":
            await self.app(scope, receive, send)
            return
        whose = address(scope)
        if sum(self.now.values()) >= AT_ONCE or self.now.get(whose, 0) >= AT_ONCE_EACH:
            await refuse(scope, receive, send, 503, FULL)
            return
        self.now[whose] = self.now.get(whose, 0) + 1
        try:
            await self._take(whose, scope, receive, send)
        finally:
            self.now[whose] -= 1
            if not self.now[whose]:
                del self.now[whose]

    async def _take(self, whose: str, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        size = int(request.headers.get("content-length", self.most + MEGABYTE))  # digits, as BodyLimit saw
        if not await run_sync(self.room.admit, whose, size):
            await refuse(scope, receive, send, 503, FULL)
            return
        answer, paths = None, list[Path]()
        try:
            with anyio.move_on_after(SECONDS):
                answer, paths = await self._taken(request)
        except ClientDisconnect:
            return
        finally:
            self.room.settle(whose, size, paths)
        if answer is None:
            await refuse(scope, receive, send, 408, "This took too long.")
        else:
            await answer(scope, receive, send)

    async def _taken(self, request: Request) -> tuple[Response, list[Path]]:
        """The answer, and where the files are now."""
        staging = self.room.folder / STAGING / secrets.token_hex(8)
        tracked = parse_qs(request.url.query).get("upload_id", [None])[0]
        try:
            staged, _, _ = await upload_fn(
                request, str(staging), self.most, tracked, True, file_upload_statuses if tracked else None
            )
            paths = await run_sync(self._moved, staging, [Path(path) for path in staged])
            return JSONResponse([str(path) for path in paths]), paths
        except MultiPartException as error:
            status = 413 if "maximum allowed size" in error.message else 400
            return Response(error.message, status, media_type="text/plain"), []
        except (HTTPException, TypeError, AttributeError) as error:  # no upload, or something else where a file belongs
            return Response(str(getattr(error, "detail", "This is no file.")), 400, media_type="text/plain"), []
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(clear, staging)

    def _moved(self, staging: Path, staged: list[Path]) -> list[Path]:
        """To where Gradio would have put them: a folder named by the content."""
        moved = []
        for path in staged:
            place = self.room.folder / path.relative_to(staging)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)
            os.utime(place)
            moved.append(place)
        return moved
