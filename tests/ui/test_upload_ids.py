"""The ids under which one asks how far an upload is, with Gradio's own app behind the layer. No server runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.routes import App, file_upload_statuses
from starlette.middleware import Middleware

from uap_core.ui.serving import upload_ids
from uap_core.ui.serving.room import Room
from uap_core.ui.serving.upload_ids import UploadIds
from uap_core.ui.serving.uploads import Uploads

FILE = {"files": ("a.txt", b"x")}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_ids, "LINGER", 0.2)


def served(folder: Path, scene: Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]]) -> None:
    """Let ``scene`` ask such an app."""
    with gr.Blocks() as demo:
        gr.File()
    layers = [Middleware(UploadIds), Middleware(Uploads, room=Room(folder, 10_000_000, 10_000_000), most=1_000_000)]
    app = App.create_app(demo, app_kwargs={"middleware": layers})

    async def play() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost/gradio_api") as client:
            await scene(client)

    asyncio.run(play())


def remembered() -> set[str]:
    return {*file_upload_statuses._statuses, *file_upload_statuses._signals}


def test_an_id_is_forgotten_soon_after_its_upload(tmp_path: Path) -> None:
    async def scene(client: httpx.AsyncClient) -> None:
        for number in range(5):
            assert (await client.post("/upload", params={"upload_id": f"id-{number}"}, files=FILE)).status_code == 200
        assert (await client.post("/upload", params={"upload_id": "cut"}, content=b"none")).status_code == 400
        assert "id-4" in remembered()
        await asyncio.sleep(0.3)
        assert not remembered()

    served(tmp_path, scene)


def test_how_far_it_is_can_be_asked_before_it_begins_and_just_after_it(tmp_path: Path) -> None:
    async def scene(client: httpx.AsyncClient) -> None:
        early = asyncio.create_task(client.get("/upload_progress", params={"upload_id": "a"}))
        await asyncio.sleep(0.1)
        await client.post("/upload", params={"upload_id": "a"}, files=FILE)
        assert json.loads((await early).text.split("data:")[-1])["msg"] == "done"
        await client.post("/upload", params={"upload_id": "b"}, files=FILE)
        late = await client.get("/upload_progress", params={"upload_id": "b"})
        assert json.loads(late.text.split("data:")[-1])["msg"] == "done"
        await asyncio.sleep(0.3)
        assert not remembered()

    served(tmp_path, scene)


def test_asking_after_what_nobody_uploads_leaves_nothing_and_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_ids, "EARLY", 2)

    async def scene(client: httpx.AsyncClient) -> None:
        asked = [client.get("/upload_progress", params={"upload_id": f"none{number}"}) for number in range(5)]
        answers = await asyncio.gather(*asked)
        assert [answer.status_code for answer in answers] == [404] * 5
        assert sum(answer.text == upload_ids.NOTHING_HERE for answer in answers) == 3, "these were not kept waiting"
        assert not remembered()

    served(tmp_path, scene)


@pytest.mark.parametrize(
    "query", ["upload_id=" + "x" * 65, "upload_id=", "upload_id=a&upload_id=b", "upload_id=%2e%2e", "upload_id=ä"]
)
def test_what_is_no_id_is_refused(tmp_path: Path, query: str) -> None:
    async def scene(client: httpx.AsyncClient) -> None:
        assert (await client.post(f"/upload?{query}", files=FILE)).status_code == 400
        assert (await client.get(f"/upload_progress?{query}")).status_code == 404
        assert not remembered()

    served(tmp_path, scene)
