"""Files from the network: streamed, checked, and put in place only when they are whole."""

from __future__ import annotations

import errno
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from uap_core.errors import DownloadError
from uap_core.io.parts import HeldError, LineError, is_held, part_file

if TYPE_CHECKING:
    import httpx

BLOCK = 1 << 18
PATIENCE = 20.0
CONNECTIONS = 5  # of one download: where a connection breaks off, the next one goes on from there
PAUSE = 1.0  # seconds before that
ABANDONED = 3600
RANGE_NOT_SATISFIABLE = 416  # the part is no part of that file
NAMES = {"sha256": "SHA-256", "md5": "MD5"}
PLAIN = {"Accept-Encoding": "identity"}  # so that the bytes announced are the bytes that come

_under_way: set[Path] = set()
_lock = threading.Lock()


@dataclass(frozen=True)
class Fetched:
    """``done`` of ``total`` bytes are here; ``total`` is 0 when the server did not say."""

    done: int
    total: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.done / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{self.done / 1e6:.1f} of {self.total / 1e6:.1f} MB" if self.total else f"{self.done / 1e6:.1f} MB"


@contextmanager
def writing(what: str, folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into a DownloadError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DownloadError(f"The disk is full: there is no room for {what} in {folder}.") from error
        raise DownloadError(f"{what} cannot be written into {folder}: {error.strerror or error}.") from error


@contextmanager
def one_at_a_time(path: Path, name: str = "") -> Iterator[None]:
    """Raise DownloadError while ``path`` is being fetched already: a second visitor would only halve the speed of both.

    ``name`` is what the sentence calls it. Another process is seen by the part that it has locked.
    """
    with _lock:
        if path in _under_way or is_held(path):
            raise _busy(name or path.name)
        _under_way.add(path)
    try:
        yield
    finally:
        with _lock:
            _under_way.discard(path)


def _busy(name: str) -> DownloadError:
    return DownloadError(f"{name} is being fetched already, here or by another visitor. Look again in a while.")


def download(
    url: str, path: Path, digits: str, largest: int = 0, algorithm: str = "sha256", advice: str = "", name: str = ""
) -> Iterator[Fetched]:
    """Fetch ``url`` into ``path``, telling how far it is after every quarter of a megabyte.

    ``digits`` are the first ones of the file's hash; a server that offers more than ``largest`` bytes (if given) is not
    listened to. Where a connection breaks off, the next one goes on from there, and so does the next call, in this process or
    another. The file appears under its name when all of it is here and right. Closing the iterator before, a full disk and a
    wrong file leave nothing behind. Raises DownloadError with what happened to ``name`` (that of ``path`` when left out), and
    ``advice``, or what to save where.
    """
    advice, name = advice or f"Try again, or get {url} elsewhere and save it as {path}.", name or path.name
    with one_at_a_time(path, name), writing(name, path.parent):
        remove_abandoned(path.parent, f".{path.name}.*.part")
        try:
            with part_file(path) as out:
                here = _Here(out, algorithm, digits)
                if here.done and here.is_right():  # all of it came before
                    yield Fetched(here.done, here.done)
                    return
                for _attempt in ("after what is here", "from the first byte, where that was another file's"):
                    went_on = here.done > 0
                    for begins, block, total in _blocks(url, name, advice, here.done):
                        if begins and here.done:
                            here.empty()
                            went_on = False
                        here.add(block)
                        if largest and max(here.done, total) > largest:
                            raise DownloadError(f"{host_of(url)} offers a larger file than {name} is. {advice}")
                        yield Fetched(here.done, total)
                    if here.is_right() or not went_on:
                        break
                    here.empty()
                if not here.is_right():
                    found = f"its {NAMES[algorithm]} does not begin with {digits[:8]}"
                    raise DownloadError(f"What {host_of(url)} sent is not {name}: {found}. {advice}")
        except HeldError as error:
            raise _busy(name) from error


class _Here:
    """What of a file is here: an open part, its hash and its length."""

    def __init__(self, out: BinaryIO, algorithm: str, digits: str) -> None:
        self._out, self._algorithm, self._digits = out, algorithm, digits
        self._begin()
        while block := out.read(BLOCK):
            self._digest.update(block)
            self.done += len(block)

    def _begin(self) -> None:
        self._digest, self.done = hashlib.new(self._algorithm, usedforsecurity=self._algorithm != "md5"), 0

    def add(self, block: bytes) -> None:
        self._out.write(block)
        self._digest.update(block)
        self.done += len(block)

    def empty(self) -> None:
        self._out.seek(0)
        self._out.truncate()
        self._begin()

    def is_right(self) -> bool:
        return self._digest.hexdigest().startswith(self._digits)


def _blocks(url: str, name: str, advice: str, done: int = 0) -> Iterator[tuple[bool, bytes, int]]:
    """What the server sends after ``done`` bytes: whether it begins with the first byte, a block, the bytes announced.

    The first block is empty; 0 bytes are announced where the server did not say.
    """
    import httpx

    total, version, first = 0, "", True
    for more in reversed(range(CONNECTIONS)):
        headers = PLAIN | ({"Range": f"bytes={done}-"} if done else {}) | ({"If-Range": version} if done and version else {})
        with connecting(url, name, advice):
            try:
                with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=PATIENCE) as answer:
                    goes_on = bool(done) and answer.headers.get("content-range", "").startswith(f"bytes {done}-")
                    if first and done and answer.status_code == RANGE_NOT_SATISFIABLE:
                        done = 0
                        continue
                    answer.raise_for_status()
                    if done and not goes_on and not first:  # it would begin anew
                        raise LineError(_broken(url, name, advice))
                    if first:
                        done = done if goes_on else 0
                        announced = int(answer.headers.get("content-length", 0))
                        total, version = announced and done + announced, _version(answer)
                        yield not goes_on, b"", total
                        first = False
                    for block in answer.iter_bytes(BLOCK):
                        done += len(block)
                        yield False, block, total
                    return
            except httpx.TransportError:
                if not (done and more):
                    raise
        time.sleep(PAUSE)


def _version(answer: httpx.Response) -> str:
    """What a server calls this very file, so that it does not go on with another one (RFC 9110, section 13.1.5); or empty."""
    tag = answer.headers.get("etag", "")
    return tag if tag.startswith('"') else ""


def _broken(url: str, name: str, advice: str) -> str:
    return f"The connection to {host_of(url)} broke off before {name} was whole. {advice}"


@contextmanager
def connecting(url: str, name: str, advice: str) -> Iterator[None]:
    """Turn what goes wrong between here and a server that is asked for the file ``name`` into a DownloadError."""
    import httpx

    host = host_of(url)
    try:
        yield
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        kind = LineError if code >= 500 or code == 429 else DownloadError  # of a busy server the part is kept
        raise kind(f"{host} answered {code} for {name}. {advice}") from error
    except (httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError) as error:
        raise LineError(_broken(url, name, advice)) from error
    # No route, a missing proxy or certificate, an invalid address: httpx raises many kinds.
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ImportError, ValueError) as error:
        raise LineError(f"There is no connection to {host}. {advice}") from error


def host_of(url: str) -> str:
    """The host of an address, for messages; the address itself if it has none."""
    with suppress(ValueError):
        return urlsplit(url).netloc or url
    return url


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove what killed downloads left in ``folder``: files and folders untouched for an hour."""
    import shutil

    for part in folder.glob(pattern):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > ABANDONED:
                shutil.rmtree(part) if part.is_dir() else part.unlink()
