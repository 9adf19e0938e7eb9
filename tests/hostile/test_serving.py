"""What strangers may use up of a running server, with a visitor beside them who only wants to click."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlparse

import httpx
import pytest
from pictures import encoded, noise
from PIL import Image, features
from running import Running
from visitor import Visitor

from uap_core.ui.serving.fetching import SENTENCE
from uap_core.ui.serving.presence import GRACE
from uap_core.ui.serving.room import STAGING

PATTERN = "resnet64-linf10.safetensors"
FORM = {"content-type": "multipart/form-data; boundary=x"}
WAITS = 1.5  # seconds for a click beside, in the middle: a tenth of a second on a quiet machine, and tests run on busy ones


def resident(app: Running, name: str = "VmRSS") -> float:
    """Megabytes of memory."""
    status = Path(f"/proc/{app.process.pid}/status")
    if not status.exists():
        pytest.skip("only Linux tells it so")
    return next(int(line.split()[1]) / 1e3 for line in status.read_text().splitlines() if line.startswith(name))


def part(disposition: str) -> bytes:
    return f"--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()


@contextmanager
def clicking(app: Running, config: dict) -> Iterator[list[float]]:
    """Seconds of each click of an innocent visitor for as long as the block lasts."""
    waits, over = list[float](), threading.Event()
    visitor = Visitor(app.address, config)
    assert visitor.look("resnet64", PATTERN).success

    def click() -> None:
        while not over.is_set():
            started = time.monotonic()
            assert visitor.look("resnet64", PATTERN, len(waits) % 64 / 2).success
            waits.append(time.monotonic() - started)
            time.sleep(0.05)

    thread = threading.Thread(target=click)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


def uploads_of(visitor: Visitor) -> Path:
    return Path(visitor.upload("mine.png", encoded(noise(8)))["path"]).parents[1]


def test_bodies_of_any_kind_are_counted(app: Running, visitor: Visitor) -> None:
    before = resident(app)
    megabyte = b"x" * 1_000_000

    def long() -> Iterator[bytes]:
        yield part('name="a"')
        for _ in range(600):
            yield megabyte

    with clicking(app, visitor.config) as waits:
        for address, headers in (("upload", FORM), ("queue/join", {}), ("call/apply_pattern", {}), ("cancel", {})):
            where = f"{app.address}/gradio_api/{address}"
            with suppress(httpx.WriteError):  # it hung up while we were still sending
                assert httpx.post(where, content=long(), headers=headers, timeout=30).status_code == 413, address
            said = httpx.post(where, content=megabyte * 40, headers=headers, timeout=30)
            assert said.status_code == 413, address
    assert resident(app, "VmHWM") - before < 500, "networks may be loading meanwhile; six hundred megabytes were sent"
    assert statistics.median(waits) < WAITS


def test_uploads_leave_nothing_but_their_files(app: Running, visitor: Visitor) -> None:
    folder = uploads_of(visitor)
    known = {path for path in folder.rglob("*") if path.is_file()}
    other = part('name="video"; filename="a.png"') + b"x" * 50_000 + b"\r\n--x--\r\n"
    assert httpx.post(f"{app.address}/gradio_api/upload", content=other, headers=FORM).json() == []
    for content in (part('name="files"') + b"x\r\n--x--\r\n", b"--y", b"--x\r\n\r\n"):
        assert httpx.post(f"{app.address}/gradio_api/upload", content=content, headers=FORM).status_code == 400
    where = urlparse(app.address)
    with socket.create_connection((where.hostname, where.port)) as cut:
        cut.sendall(b"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n")
        cut.sendall(b"Content-Type: multipart/form-data; boundary=x\r\n\r\n")
        cut.sendall(part('name="files"; filename="b.png"') + b"x" * 500_000)
        for _ in range(100):
            if found := [path for path in (folder / STAGING).rglob("*") if path.is_file()]:
                break
            time.sleep(0.05)
        assert found, "it lies apart while it comes in"
    for _ in range(100):
        if not any((folder / STAGING).iterdir()):
            break
        time.sleep(0.05)
    assert {path for path in folder.rglob("*") if path.is_file()} == known
    assert folder.parent.stat().st_mode & 0o077 == 0, "nobody else of this machine looks in"


def slow_pictures() -> Iterator[tuple[str, bytes]]:
    """Small files that take seconds to decode; the first ones hold the interpreter meanwhile."""
    if features.check("jpg_2000"):
        for level in (50, 51):
            yield f"{level}.jp2", encoded(Image.new("RGB", (3000, 3000), (3, level, 7)), "JPEG2000")
    yield "a.ppm", b"P3 850 850 255\n" + b"1 " * (850 * 850 * 3)


def test_pictures_that_decode_slowly_hold_up_nobody(app: Running, visitor: Visitor) -> None:
    said = list[str]()

    def send(name: str, data: bytes) -> None:
        stranger = Visitor(app.address, visitor.config)
        said.append(stranger.call("accept", [stranger.upload(name, data), "resnet64"]).text)

    strangers = [threading.Thread(target=send, args=one) for one in slow_pictures()]
    with clicking(app, visitor.config) as waits:
        photo = Visitor(app.address, visitor.config)
        for stranger in strangers:
            stranger.start()
        time.sleep(0.5)
        started = time.monotonic()
        answer = photo.call("accept", [photo.upload("mine.png", encoded(noise(9))), "resnet64"])
        mine = time.monotonic() - started
        for stranger in strangers:
            stranger.join()
        theirs = time.monotonic() - started
    assert "Your picture" in answer.text
    assert mine < theirs / 2, "it waited for theirs"
    assert statistics.median(waits) < WAITS
    assert any("Your picture" in text for text in said)
    assert all("Your picture" in text or "large pictures are being opened" in text for text in said)


def join(visitor: Visitor, handler: int, data: list) -> None:
    asked = {"fn_index": handler, "data": data, "session_hash": visitor.session}
    assert visitor.http.post("/gradio_api/queue/join", json=asked).status_code in (200, 503)


def steps(visitor: Visitor, patience: float) -> Iterator[tuple[float, str]]:
    """What comes back, and when."""
    started = time.monotonic()
    where = {"session_hash": visitor.session}
    with visitor.http.stream("GET", "/gradio_api/queue/data", params=where, timeout=patience) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                yield time.monotonic() - started, line


def test_runs_that_nobody_waits_for_end_and_two_places_are_all_one_has(app: Running, visitor: Visitor) -> None:
    crafting = visitor.handler_with("craft", "craft-cost")
    run = visitor.filled(crafting, network="resnet64", pattern=PATTERN, craft_cost=4000, craft_until=0)  # of minutes
    strangers = [Visitor(app.address, visitor.config) for _ in range(21)]

    def ask(stranger: Visitor) -> None:
        with suppress(httpx.HTTPError):  # some still wait when the server ends
            join(stranger, crafting, run)

    asking = [threading.Thread(target=ask, args=(stranger,), daemon=True) for stranger in strangers]
    for thread in asking:
        thread.start()
    time.sleep(1)
    with clicking(app, visitor.config) as waits:
        mine = Visitor(app.address, visitor.config)
        assert mine.look("resnet64", PATTERN).success
        join(mine, crafting, run)
        for at, line in steps(mine, 30):
            if "process_generating" in line and "before yours" not in line:
                break
            assert at < GRACE + 5, "a run that nobody waits for is still under way"
    assert statistics.median(waits) < WAITS
    third = Visitor(app.address, visitor.config)
    assert third.look("resnet64", PATTERN).success
    for _ in range(3):
        join(third, crafting, run)
    said = "".join(line for at, line in _until(steps(third, 30), "Two runs of yours"))
    assert "Two runs of yours" in said


def _until(found: Iterator[tuple[float, str]], words: str) -> Iterator[tuple[float, str]]:
    for at, line in found:
        yield at, line
        if words in line or at > 20:
            return


def test_nothing_is_fetched_for_anybody(visitor: Visitor) -> None:
    for file in (
        "http://example.com/x",
        "https://93.184.216.34/",
        "HTTP://example.com",
        "ftp://x/y",
        " http://x",
        "file:///etc/passwd",
    ):
        answer = visitor.http.get(f"/gradio_api/file={file}")
        assert answer.status_code == 404, file
        assert "There is nothing here" in answer.text
    for path in ("http://example.com/a.png", "https://example.com/a.png"):
        for handler, more in (("accept", ["resnet64"]), ("open_pattern", ["resnet64", None])):
            answer = visitor.call(handler, [{"path": path, "meta": {"_type": "gradio.FileData"}}, *more])
            assert SENTENCE in answer.text, handler


def test_no_header_tells_where_the_page_is(app: Running) -> None:
    for header in ("x-forwarded-host", "x-gradio-server"):
        config = httpx.get(f"{app.address}/config", headers={header: "http://evil.example"}).json()
        assert config["root"] == app.address, header


def test_a_page_with_the_headers_of_a_public_one(app: Running, visitor: Visitor) -> None:
    page = visitor.http.get("/").headers
    assert page["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'self'" in page["content-security-policy"]
    assert "default-src 'self'" in page["content-security-policy"]
    file = visitor.upload("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")["path"]
    assert "sandbox" in visitor.http.get(f"/gradio_api/file={file}").headers["content-security-policy"]


def test_one_visitor_who_asks_without_end_leaves_room_for_others(app: Running, visitor: Visitor) -> None:
    """Seventy questions at once by one: they are answered one after another, and some are turned away."""
    greedy, said = Visitor(app.address, visitor.config), list[int]()

    def ask() -> None:
        asked = {"fn_index": greedy.handler("look_apply"), "data": [None, None, "resnet64", PATTERN, None, 9]}
        where = f"{app.address}/gradio_api/queue/join"
        said.append(httpx.post(where, json=asked | {"session_hash": greedy.session}, timeout=60).status_code)

    client = httpx.Client(base_url=app.address, timeout=60, limits=httpx.Limits(max_connections=100))
    with client, clicking(app, visitor.config) as waits:
        threads = [threading.Thread(target=ask) for _ in range(70)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statistics.median(waits) < 2 * WAITS  # of two or three clicks alone, while seventy requests arrive
    assert set(said) == {200, 503}
    assert httpx.get(f"{app.address}/gradio_api/queue/status").json()["queue_size"] < 10
