from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import serving

from uap_core.errors import DownloadError
from uap_core.io import download as downloads
from uap_core.io.download import Fetched, download

DATA = bytes(range(256)) * 4000
HASH = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving({"net.pth": DATA}) as address:
        yield address


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PAUSE", 0.0)


@pytest.mark.parametrize("kind", ["", "moved/", "unsized/"])
def test_a_whole_file(server: str, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "cache" / "net.pth"
    told = list(download(f"{server}/{kind}net.pth", path, HASH[:8]))
    assert path.read_bytes() == DATA
    assert [entry.name for entry in path.parent.iterdir()] == ["net.pth"]
    assert told[0] == Fetched(0, 0 if kind == "unsized/" else len(DATA))
    assert told[-1].done == len(DATA)
    assert [fetched.done for fetched in told] == sorted({fetched.done for fetched in told})
    if kind != "unsized/":
        assert told[-1].share == 1
        assert str(told[-1]) == "1.0 of 1.0 MB"


@pytest.mark.parametrize(
    ("where", "sha256", "largest", "sentence"),
    [
        ("/cut/net.pth", HASH, 0, r"broke off before net\.pth was whole"),
        ("/net.pth", "0" * 64, 0, r"is not net\.pth: its SHA-256 does not begin with 00000000"),
        ("/nothing.pth", HASH, 0, r"answered 404"),
        ("/net.pth", HASH, 1000, r"a larger file than net\.pth is"),
        ("/unsized/net.pth", HASH, 1000, r"a larger file than net\.pth is"),
    ],
)
def test_what_is_not_the_file_never_counts_as_it(
    server: str, tmp_path: Path, where: str, sha256: str, largest: int, sentence: str
) -> None:
    with pytest.raises(DownloadError, match=sentence) as caught:
        list(download(server + where, tmp_path / "net.pth", sha256, largest))
    assert f"save it as {tmp_path / 'net.pth'}." in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ([".net.pth.part"] if "cut" in where else [])


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/net.pth", "http://nowhere.invalid/net.pth", "ftp://127.0.0.1/net.pth"])
def test_no_connection(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="There is no connection to"):
        list(download(url, tmp_path / "net.pth", HASH))
    assert not list(tmp_path.iterdir())


def test_cancelled_halfway_leaves_nothing_and_an_older_file_alone(server: str, tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(b"older")
    running = download(f"{server}/net.pth", path, HASH)
    next(running)
    assert next(running).done > 0
    assert len(list(tmp_path.iterdir())) == 2
    running.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.pth"]
    assert path.read_bytes() == b"older"


def test_what_a_killed_download_left_is_removed_when_it_is_old(server: str, tmp_path: Path) -> None:
    old, fresh = tmp_path / ".net.pth.a.part", tmp_path / ".net.pth.b.part"
    for part in (old, fresh):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    list(download(f"{server}/net.pth", tmp_path / "net.pth", HASH))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".net.pth.b.part", "net.pth"]


def test_a_second_visitor_is_told_that_it_is_under_way(server: str, tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    first = download(f"{server}/net.pth", path, HASH)
    next(first)
    with pytest.raises(DownloadError, match=r"net\.pth is being fetched already, here or by another visitor"):
        next(download(f"{server}/net.pth", path, HASH))
    list(download(f"{server}/net.pth", tmp_path / "other.pth", HASH))
    list(first)
    assert path.read_bytes() == DATA
    list(download(f"{server}/net.pth", path, HASH))  # free again


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "http://[bad", "nonsense://x"])
def test_a_proxy_that_cannot_be_is_no_connection(proxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(DownloadError, match=r"no connection to example\.invalid\. Do this\."):
        list(download("http://example.invalid/net.pth", tmp_path / "net.pth", HASH, advice="Do this."))
    assert not list(tmp_path.iterdir())


def test_a_full_disk(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DownloadError, match=r"The disk is full: there is no room for net\.pth"):
        list(download(f"{server}/net.pth", tmp_path / "net.pth", HASH))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match="cannot be written into"):
        list(download(f"{server}/net.pth", tmp_path / "file" / "net.pth", HASH))
