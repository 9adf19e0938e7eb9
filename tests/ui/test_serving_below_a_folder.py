"""The layers where a proxy serves the page in a folder and keeps it in the path. No server runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route

from uap_core.ui.serving import presence as presences
from uap_core.ui.serving.bodies import BodyLimit
from uap_core.ui.serving.headers import SafeHeaders
from uap_core.ui.serving.places import Places
from uap_core.ui.serving.presence import Presence
from uap_core.ui.serving.room import Room
from uap_core.ui.serving.uploads import Uploads

ROOTS = pytest.mark.parametrize("root", ["", "/below"])


def posted(app: Starlette, root: str, path: str, content: bytes) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, root_path=root)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(f"{root}/gradio_api/{path}", content=content)

    return asyncio.run(ask())


def there(*layers: Middleware) -> Starlette:
    return Starlette(
        routes=[Route("/{path:path}", lambda request: HTMLResponse("there"), methods=["GET", "POST"])], middleware=list(layers)
    )


@ROOTS
@pytest.mark.parametrize("number", ["3", '"3"', "3.0", "true", "[3]"])
def test_a_handlers_number_is_looked_at_however_it_is_written(root: str, number: str) -> None:
    handler = SimpleNamespace(inputs=[gr.Dropdown(["a", "b"])], concurrency_id="quick")
    app = there(Middleware(Places, presence=Presence(), demo=SimpleNamespace(fns={3: handler, 1: handler}), shares={}))
    answer = posted(app, root, "queue/join", f'{{"fn_index": {number}, "data": [["x"]], "session_hash": "s"}}'.encode())
    assert answer.status_code == 422


@ROOTS
def test_uploads_have_their_own_limits_below_a_proxys_folder_too(root: str, tmp_path: Path) -> None:
    app = there(Middleware(BodyLimit, upload_megabytes=5), Middleware(Uploads, room=Room(tmp_path, 100, 100), most=5_000_000))
    assert posted(app, root, "upload", bytes(2_000_000)).status_code == 503, "taken as an upload, for which there is no room"
    assert posted(app, root, "queue/join", bytes(2_000_000)).status_code == 413


@ROOTS
def test_who_reads_answers_and_what_is_a_file_are_known_below_a_proxys_folder_too(root: str) -> None:
    scope = {"type": "http", "method": "GET", "root_path": root, "query_string": b"session_hash=me"}
    assert presences.reader(scope | {"path": f"{root}/gradio_api/queue/data"}) == "me"
    assert presences.reader(scope | {"path": f"{root}/gradio_api/call/apply_pattern/0f"}) == "0f"

    async def ask(path: str) -> str:
        transport = httpx.ASGITransport(there(Middleware(SafeHeaders, frames=())), root_path=root)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.get(f"{root}{path}")).headers["content-security-policy"]

    assert asyncio.run(ask("/gradio_api/file=a.svg")).endswith("sandbox")
    assert "sandbox" not in asyncio.run(ask("/"))
