"""The layers by themselves: what is open, where redirects lead, whose questions go first. No server runs."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from uap_core.errors import SettingError
from uap_core.settings import frames, hosts
from uap_core.ui.serving import places
from uap_core.ui.serving import presence as presences
from uap_core.ui.serving.heads import Heads
from uap_core.ui.serving.origins import KnownHosts, is_among
from uap_core.ui.serving.places import Newcomers, Places
from uap_core.ui.serving.presence import Presence
from uap_core.ui.serving.routes import is_open


@pytest.mark.parametrize(
    "path",
    ["/", "/config", "/assets/index-1.js", "/gradio_api/info", "/gradio_api/file=/tmp/a.png", "/gradio_api/file=C:/a.png",
     "/gradio_api/queue/data", "/gradio_api/heartbeat/x-1", "/gradio_api/call/apply_pattern/0f", "/pwa_icon/192"],
)  # fmt: skip
def test_what_the_page_uses_is_open(path: str) -> None:
    assert is_open("GET", path)
    assert is_open("HEAD", path)


@pytest.mark.parametrize(
    "path",
    ["/monitoring", "/monitoring/summary", "/login", "/logout", "/gradio_api/token", "/gradio_api/dev/reload",
     "/gradio_api/deep_link", "/gradio_api/proxy=https://x.hf.space", "/gradio_api/stream/a/b/c/playlist.m3u8",
     "/gradio_api/custom_component/a/client/b/c", "/gradio_api/vibe-code", "/gradio_api/runs", "/gradio_api/file/etc/passwd",
     "/gradio_api/file=http://x", "/gradio_api/file= HTTPS://x", "/gradio_api/file=ftp:x", "/docs", "/gradio_api/mcp/"],
)  # fmt: skip
def test_what_it_does_not_use_is_closed(path: str) -> None:
    assert not is_open("GET", path)
    assert not is_open("POST", path)


def test_what_takes_files_or_runs_something_is_closed_but_for_uploads_and_the_queue() -> None:
    for path in (
        "process_recording",
        "component_server",
        "component_server/",
        "vibe-edit",
        "run/x",
        "api/x",
        "run-history/connect",
    ):
        assert not is_open("POST", f"/gradio_api/{path}"), path
    for path in ("upload", "queue/join", "call/apply_pattern", "call/v2/apply_pattern", "cancel", "reset"):
        assert is_open("POST", f"/gradio_api/{path}"), path


def asked(names: list[str], only: bool, path: str, **headers: str) -> httpx.Response:
    """The answer of a page behind the layer that says which host it was asked as."""

    def there(request) -> RedirectResponse:
        return RedirectResponse(
            request.query_params.get("to", f"http://{request.headers.get('x-forwarded-host', 'none')}/a?b=1")
        )

    app = Starlette(routes=[Route("/{path:path}", there)], middleware=[Middleware(KnownHosts, names=lambda: names, only=only)])

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return asyncio.run(ask())


@pytest.mark.parametrize("root", ["", "/below"])
def test_whether_the_page_is_there_is_told_without_making_it(root: str) -> None:
    made: list[str] = []

    def page(request) -> HTMLResponse:
        made.append(request.method)
        return HTMLResponse("the page")

    app = Starlette(routes=[Route("/{path:path}", page)], middleware=[Middleware(Heads)])

    async def ask(method: str, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app, root_path=root)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, f"{root}{path}")

    there = asyncio.run(ask("HEAD", "/"))
    assert (there.status_code, there.headers["content-type"], made) == (200, "text/html; charset=utf-8", [])
    assert "content-length" not in there.headers, "nobody knows it"
    assert asyncio.run(ask("GET", "/")).text == "the page"
    asyncio.run(ask("HEAD", "/favicon.ico"))
    assert made == ["GET", "HEAD"], "all else is passed on"


@pytest.mark.parametrize(
    ("to", "led"),
    [("http://evil.example/a?b=1", "/a?b=1"), ("http://evil.example//other.example/", "/other.example/"),
     ("//evil.example/a", "/a"),
     ("/a", "/a"), ("http://evil.example", "/"), ("/%5Cevil.example", "/%5Cevil.example"), ("a/b", "a/b")],
)  # fmt: skip
def test_redirects_stay_here(to: str, led: str) -> None:
    assert asked([], False, "/x", host="evil.example").headers["location"] == "/a?b=1"
    assert asked([], False, f"/x?to={to.replace('?', '%3F')}").headers["location"] == led


def test_only_names_that_the_host_said_are_heeded() -> None:
    assert asked(["uap.example"], True, "/x", host="uap.example:80").status_code == 307
    assert asked(["uap.example"], True, "/x", host="evil.example").status_code == 400
    assert asked(["uap.example"], True, "/x").status_code == 307, "this machine's own name"
    assert asked(["uap.example"], False, "/x", host="evil.example").status_code == 307
    assert is_among("A.uap.example:7", ["*.uap.example"])
    assert is_among("[::1]:7860", ["[::1]"])
    assert not is_among("uap.example.evil", ["uap.example"])
    assert not is_among("eviluap.example", ["*.uap.example"])


def test_names_and_frames_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UAP_HOSTS", "uap.example.org, *.b.org")
    monkeypatch.setenv("UAP_FRAMES", "https://moodle.example.org")
    assert hosts() == ["uap.example.org", "*.b.org"]
    assert frames() == ["https://moodle.example.org"]
    monkeypatch.setenv("UAP_FRAMES", "https://a.org; script-src *")
    with pytest.raises(SettingError, match="UAP_FRAMES must be"):
        frames()


def test_an_address_that_nobody_knows_begins_so_many_sessions_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(places.time, "monotonic", lambda: clock[0])
    newcomers = Newcomers()
    assert sum(newcomers.take("a") for _ in range(500)) == places.NEW
    assert newcomers.take("b")
    clock[0] = 2.0
    assert sum(newcomers.take("a") for _ in range(500)) == 2 * places.NEW_A_SECOND


def test_whoever_comes_back_at_the_last_moment_keeps_what_they_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look at who is gone waits for Gradio's lock, and meanwhile one of them asks again."""
    clock = [0.0]
    monkeypatch.setattr(presences.time, "monotonic", lambda: clock[0])

    async def scene() -> tuple[list[str], dict[str, str]]:
        presence, ended, messages = Presence(), list[str](), {"gone": "x", "idle": "x", "back": "x"}
        for session in messages:
            presence.asked(session)
        clock[0] = presences.GRACE + 1

        async def clean_events(session_hash: str) -> None:
            ended.append(session_hash)
            presence.asked("back")

        pending = {"gone": {"1"}, "idle": set[str](), "back": {"2"}}
        queue = SimpleNamespace(
            clean_events=clean_events, pending_messages_per_session=messages, pending_event_ids_session=pending
        )
        for session in presence.gone():
            await presences.end(presence, SimpleNamespace(_queue=queue), session)
        return ended, messages

    ended, messages = asyncio.run(scene())
    assert ended == ["gone"]
    assert list(messages) == ["back"]


def event(session: str, lane: str, client: str) -> SimpleNamespace:
    return SimpleNamespace(session_hash=session, concurrency_id=lane, request=SimpleNamespace(scope={"client": (client, 1)}))


def test_questions_wait_for_their_own_session_and_address_alone() -> None:
    async def scene() -> list[str]:
        running = [[event("s", "quick", "a")] for _ in range(places.SESSION)] + [
            [event(f"t{n}", "quick", "b")] for n in range(6)
        ]
        queue = SimpleNamespace(event_queue_per_concurrency_id={}, active_jobs=running)
        waiting = Places(None, Presence(), SimpleNamespace(_queue=queue), {"quick": 6, "long": 16})
        asked = {
            "same session": places.Question("a", "s", "quick"),
            "same session, a run": places.Question("a", "s", "long"),
            "same address": places.Question("a", "u", "quick"),
            "full address": places.Question("b", "v", "quick"),
            "another address": places.Question("c", "w", "quick"),
        }
        waiting.waiting = list(asked.values())
        waiting._admit()
        return [name for name, question in asked.items() if question.go.is_set()]

    assert asyncio.run(scene()) == ["same session, a run", "same address", "another address"]
