"""Downloads over lines that break, from servers that say one thing and send another, beside other processes."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hub_stand_in import COMMIT, hub

from uap_core.errors import DownloadError
from uap_core.io import download as downloads
from uap_core.io import parts as io_parts
from uap_core.io.download import BLOCK, CONNECTIONS, download
from uap_core.models import hub as hub_files

DATA = os.urandom(8 * BLOCK)
HASH = hashlib.sha256(DATA).hexdigest()
ROOT = Path(__file__).resolve().parents[1]


class Line:
    """How a server sends DATA: at most ``sent`` bytes a connection; and what it was asked for."""

    def __init__(self, sent: int, told: int = len(DATA), ranges: bool = True) -> None:
        self.sent, self.told, self.ranges = sent, told, ranges
        self.asked: list[dict[str, str]] = []
        self.tags = ['"one"']
        self.waiting, self.may_go_on = threading.Event(), threading.Event()
        self.may_go_on.set()


@contextmanager
def served(line: Line) -> Iterator[str]:
    """The address of DATA on such a line."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            line.asked.append(dict(self.headers))
            tag = line.tags[min(len(line.asked), len(line.tags)) - 1]
            wanted, known = self.headers.get("Range", ""), self.headers.get("If-Range", tag)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and line.ranges and known == tag else 0
            if start >= len(DATA):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(line.told - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")
            self.end_headers()
            self.wfile.write(DATA[start : start + line.sent])
            line.waiting.set()
            line.may_go_on.wait(20)

        def handle_one_request(self) -> None:
            with suppress(ConnectionError):
                super().handle_one_request()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/net.pth"
    finally:
        line.may_go_on.set()
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PAUSE", 0.0)


def test_a_line_that_breaks_thrice_costs_no_byte_twice(tmp_path: Path) -> None:
    line = Line(sent=2 * BLOCK)
    with served(line) as url:
        told = list(download(url, tmp_path / "net.pth", HASH))
    assert (tmp_path / "net.pth").read_bytes() == DATA
    assert [ask.get("Range", "") for ask in line.asked] == ["", *(f"bytes={2 * part * BLOCK}-" for part in (1, 2, 3))]
    assert {ask.get("If-Range", "") for ask in line.asked[1:]} == {'"one"'}
    assert {fetched.total for fetched in told} == {len(DATA)}
    assert [fetched.done for fetched in told] == [part * BLOCK for part in range(9)]


@pytest.mark.parametrize("how", ["no ranges", "another file", "again and again"])
def test_what_cannot_be_gone_on_with_at_once_ends_in_a_sentence(how: str, tmp_path: Path) -> None:
    line = Line(sent=BLOCK if how == "again and again" else 4 * BLOCK, ranges=how != "no ranges")
    line.tags = ['"one"', '"two"'] if how == "another file" else line.tags
    with served(line) as url, pytest.raises(DownloadError, match=r"broke off before net\.pth was whole"):
        list(download(url, tmp_path / "net.pth", HASH))
    assert len(line.asked) == (CONNECTIONS if how == "again and again" else 2)
    assert parts(tmp_path) == {".net.pth.part": len(DATA[: (CONNECTIONS if how == "again and again" else 4) * BLOCK])}


def parts(folder: Path) -> dict[str, int]:
    """Names and lengths of what is in a folder."""
    return {entry.name: entry.stat().st_size for entry in folder.iterdir()}


def test_the_next_call_goes_on_where_the_line_broke(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    with served(Line(sent=BLOCK)) as url, pytest.raises(DownloadError):
        list(download(url, path, HASH))
    with pytest.raises(DownloadError, match="There is no connection"):
        list(download("http://127.0.0.1:9/net.pth", path, HASH))  # and is kept meanwhile
    line = Line(sent=len(DATA))
    with served(line) as url:
        told = list(download(url, path, HASH))
    assert [ask.get("Range", "") for ask in line.asked] == [f"bytes={CONNECTIONS * BLOCK}-"]
    assert (told[0].done, told[0].total, told[-1].done) == (CONNECTIONS * BLOCK, len(DATA), len(DATA))
    assert path.read_bytes() == DATA
    assert parts(tmp_path) == {"net.pth": len(DATA)}


@pytest.mark.parametrize(
    ("left", "asked"),
    [
        (DATA[: 3 * BLOCK + 5], [f"bytes={3 * BLOCK + 5}-"]),
        (DATA, []),  # killed before it had its name
        (b"", [""]),
    ],
    ids=["some", "all", "nothing"],
)
def test_what_a_killed_process_left_is_gone_on_with(left: bytes, asked: list[str], tmp_path: Path) -> None:
    (tmp_path / ".net.pth.part").write_bytes(left)
    line = Line(sent=len(DATA))
    with served(line) as url:
        list(download(url, tmp_path / "net.pth", HASH))
    assert [ask.get("Range", "") for ask in line.asked] == asked
    assert (tmp_path / "net.pth").read_bytes() == DATA
    assert parts(tmp_path) == {"net.pth": len(DATA)}


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("left", [os.urandom(3 * BLOCK), DATA + b"more"], ids=["another file", "too long"])
def test_a_part_of_another_file_is_never_used(left: bytes, ranges: bool, tmp_path: Path) -> None:
    (tmp_path / ".net.pth.part").write_bytes(left)
    line, path = Line(sent=len(DATA), ranges=ranges), tmp_path / "net.pth"
    with served(line) as url:
        list(download(url, path, HASH))
    assert path.read_bytes() == DATA
    assert parts(tmp_path) == {"net.pth": len(DATA)}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_a_process_that_is_killed_leaves_its_part_to_the_next(tmp_path: Path) -> None:
    line, path = Line(sent=5 * BLOCK), tmp_path / "net.pth"
    line.may_go_on.clear()
    with served(line) as url:
        other = fetching(url, path)
        assert line.waiting.wait(30)
        while parts(tmp_path).get(".net.pth.part", 0) < 4 * BLOCK:
            time.sleep(0.01)
        other.kill()
        other.wait(30)
        line.may_go_on.set()
        list(download(url, path, HASH))
    assert line.asked[1]["Range"] in (f"bytes={4 * BLOCK}-", f"bytes={5 * BLOCK}-")
    assert path.read_bytes() == DATA
    assert parts(tmp_path) == {"net.pth": len(DATA)}


def fetching(url: str, path: Path) -> subprocess.Popen:
    """A process that downloads."""
    words = "import sys; from pathlib import Path; from uap_core.io.download import download; list(download(sys.argv[1], "
    words += "Path(sys.argv[2]), sys.argv[3]))"
    return subprocess.Popen([sys.executable, "-c", words, url, str(path), HASH], cwd=ROOT)


def test_where_no_locks_are_known_a_download_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(io_parts, "fcntl", None)
    line = Line(sent=len(DATA))
    with served(line) as url:
        list(download(url, tmp_path / "net.pth", HASH))
    assert [ask.get("Range", "") for ask in line.asked] == [""]
    assert parts(tmp_path) == {"net.pth": len(DATA)}


def test_a_server_that_sends_more_than_it_told(tmp_path: Path) -> None:
    sentence = r"sent is not net\.pth: its SHA-256"
    with served(Line(sent=len(DATA), told=len(DATA) // 2)) as url, pytest.raises(DownloadError, match=sentence):
        list(download(url, tmp_path / "net.pth", HASH))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_on_the_way(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = iter([None] * 3)

    def write(out: object, block: bytes) -> None:
        if next(room, "full") == "full":
            raise OSError(code, os.strerror(code))
        whole(out, block)

    whole = downloads._Here.add
    monkeypatch.setattr(downloads._Here, "add", write)
    sentence = r"The disk is full: there is no room for net\.pth in"
    with served(Line(sent=len(DATA))) as url, pytest.raises(DownloadError, match=sentence):
        list(download(url, tmp_path / "net.pth", HASH))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_another_process_that_fetches_it_is_not_raced(tmp_path: Path) -> None:
    line, path = Line(sent=len(DATA) // 2), tmp_path / "net.pth"
    line.may_go_on.clear()
    with served(line) as url:
        other = fetching(url, path)
        assert line.waiting.wait(30)
        with pytest.raises(DownloadError, match=r"net\.pth is being fetched already"):
            list(download(url, path, HASH))
        line.may_go_on.set()
        assert other.wait(30) == 0
        assert [entry.name for entry in tmp_path.iterdir()] == ["net.pth"]
        assert path.read_bytes() == DATA
        list(download(url, path, HASH))  # free again


def test_two_processes_at_the_same_step_of_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one, which began in the same instant, is done whenever this one is about to move anything."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    home = hub_files.folder("timm/net")
    path, blob = home / "snapshots" / COMMIT / hub_files.FILE, home / "blobs" / HASH
    replace = os.replace

    def after_the_other(source: object, target: object) -> None:
        for folder in (path.parent, blob.parent):
            folder.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(DATA)
        path.unlink(missing_ok=True)
        path.symlink_to(os.path.relpath(blob, path.parent))
        replace(source, target)

    with hub({"timm/net": DATA}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setattr(os, "replace", after_the_other)
        list(hub_files.fetch("timm/net", 2.0, ""))
    assert blob.is_file()
    assert not blob.is_symlink()
    assert hub_files.cached("timm/net") == path
    assert path.read_bytes() == DATA
    assert hub_files.promised_hash(path) == HASH
    assert {entry.name for entry in home.rglob("*")} == {"blobs", HASH, "snapshots", COMMIT, hub_files.FILE, "refs", "main"}
