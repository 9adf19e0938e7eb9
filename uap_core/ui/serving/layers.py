"""The layers in front of Gradio's app, from the outermost on, as the server is built with them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from uap_core.settings import Limits
from uap_core.ui.runtime.run_queue import of_one_address
from uap_core.ui.serving.bodies import MEGABYTE, BodyLimit
from uap_core.ui.serving.headers import SafeHeaders
from uap_core.ui.serving.heads import Heads
from uap_core.ui.serving.origins import KnownHosts
from uap_core.ui.serving.places import Places
from uap_core.ui.serving.presence import Listening, Presence, watch
from uap_core.ui.serving.room import Room, keep_tidy
from uap_core.ui.serving.routes import OpenRoutes
from uap_core.ui.serving.upload_ids import UploadIds
from uap_core.ui.serving.uploads import Uploads
from uap_core.ui.widgets import FETCHING, LONG, QUICK


def app_options(
    demo: gr.Blocks, limits: Limits, names: Callable[[], Iterable[str]], only: bool, frames: Iterable[str]
) -> dict[str, Any]:
    """What ``launch(app_kwargs=...)`` takes. ``names``: see ``KnownHosts``. ``demo`` is built, its files are there."""
    presence = Presence()
    room = Room(Path(get_upload_folder()), limits.disk_megabytes * MEGABYTE, limits.visitor_megabytes * MEGABYTE)
    shares = {  # one address leaves something to all others
        QUICK["concurrency_id"]: QUICK["concurrency_limit"] * 3 // 4,
        FETCHING["concurrency_id"]: FETCHING["concurrency_limit"] - 1,
        LONG["concurrency_id"]: of_one_address(limits.waiting) + 1,
    }

    @asynccontextmanager
    async def watched(app: Any) -> AsyncIterator[None]:
        threading.Thread(target=keep_tidy, args=(room,), daemon=True).start()
        watching = asyncio.create_task(watch(presence, demo))
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    return {
        "middleware": [
            Middleware(SafeHeaders, frames=tuple(frames)),
            Middleware(KnownHosts, names=names, only=only),
            Middleware(OpenRoutes),
            Middleware(Heads),
            Middleware(BodyLimit, upload_megabytes=limits.upload_megabytes),
            Middleware(UploadIds),
            Middleware(Uploads, room=room, most=limits.upload_megabytes * MEGABYTE),
            Middleware(Listening, presence=presence),
            Middleware(Places, presence=presence, demo=demo, shares=shares),
        ],
        "lifespan": watched,
    }
