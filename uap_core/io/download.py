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
from uap_core.io.atomic import whole_file

if TYPE_CHECKING:
    import httpx

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

BLOCK = 1 << 18
PATIENCE = 20.0
CONNECTIONS = 5  # of one download: where a connection breaks off, the next one goes on from there
PAUSE = 1.0  # seconds before that
ABANDONED = 3600
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
        said = "{done:.1f} of {total:.1f} MB" if self.total else "{done:.1f} MB"
        return said.format(done=self.done / 1e6, total=self.total / 1e6)


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

    ``name`` is what the sentence calls it. Another process is seen by the part that it has locked; two that begin in the same
    instant both fetch, and the later whole file wins.
    """
    with _lock:
        if path in _under_way or any(map(_is_locked, path.parent.glob(f".{path.name}.*.part"))):
            raise DownloadError(
                f"{name or path.name} is being fetched already, here or by another visitor. Look again in a while."
            )
        _under_way.add(path)
    try:
        yield
    finally:
        with _lock:
            _under_way.discard(path)


def download(
    url: str, path: Path, digits: str, largest: int = 0, algorithm: str = "sha256", advice: str = "", name: str = ""
) -> Iterator[Fetched]:
    """Fetch ``url`` into ``path``, telling how far it is after every quarter of a megabyte.

    ``digits`` are the first ones of the file's hash; a server that offers more than ``largest`` bytes (if given) is not
    listened to. Where a connection breaks off, the next one goes on from there. The file appears under its name when all of it
    is here and right; closing the iterator before leaves nothing behind. Raises DownloadError with what happened to ``name``
    (that of ``path`` when left out), and ``advice``, or what to save where.
    """
    advice, name = advice or f"Try again, or get {url} elsewhere and save it as {path}.", name or path.name
    with one_at_a_time(path, name), writing(name, path.parent):
        remove_abandoned(path.parent, f".{path.name}.*.part")
        digest, done = hashlib.new(algorithm, usedforsecurity=algorithm != "md5"), 0
        with whole_file(path) as out:
            _hold(out)
            for block, total in _blocks(url, name, advice):
                done += len(block)
                if largest and max(done, total) > largest:
                    raise DownloadError(f"{host_of(url)} offers a larger file than {name} is. {advice}")
                out.write(block)
                digest.update(block)
                yield Fetched(done, total)
            if not digest.hexdigest().startswith(digits):
                found = f"its {NAMES[algorithm]} does not begin with {digits[:8]}"
                raise DownloadError(f"What {host_of(url)} sent is not {name}: {found}. {advice}")


def _blocks(url: str, name: str, advice: str) -> Iterator[tuple[bytes, int]]:
    """What the server sends, an empty block first, each with the bytes announced (0 if they were not)."""
    import httpx

    done, total, version = 0, 0, ""
    for more in reversed(range(CONNECTIONS)):
        headers = PLAIN | ({"Range": f"bytes={done}-"} if done else {}) | ({"If-Range": version} if done and version else {})
        with connecting(url, name, advice):
            try:
                with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=PATIENCE) as answer:
                    answer.raise_for_status()
                    if not done:
                        total, version = int(answer.headers.get("content-length", 0)), _version(answer)
                        yield b"", total
                    elif not answer.headers.get("content-range", "").startswith(f"bytes {done}-"):  # it would begin anew
                        raise DownloadError(f"The connection to {host_of(url)} broke off before {name} was whole. {advice}")
                    for block in answer.iter_bytes(BLOCK):
                        done += len(block)
                        yield block, total
                    return
            except httpx.TransportError:
                if not (done and more):
                    raise
        time.sleep(PAUSE)


def _version(answer: httpx.Response) -> str:
    """What a server calls this very file, so that it does not go on with another one (RFC 9110, section 13.1.5); or empty."""
    tag = answer.headers.get("etag", "")
    return tag if tag.startswith('"') else ""


@contextmanager
def connecting(url: str, name: str, advice: str) -> Iterator[None]:
    """Turn what goes wrong between here and a server that is asked for the file ``name`` into a DownloadError."""
    import httpx

    host = host_of(url)
    try:
        yield
    except httpx.HTTPStatusError as error:
        raise DownloadError(f"{host} answered {error.response.status_code} for {name}. {advice}") from error
    except (httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError) as error:
        raise DownloadError(f"The connection to {host} broke off before {name} was whole. {advice}") from error
    # No route, a missing proxy or certificate, an invalid address: httpx raises many kinds.
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ImportError, ValueError) as error:
        raise DownloadError(f"There is no connection to {host}. {advice}") from error


def _hold(part: BinaryIO) -> None:
    """Lock a part for as long as it is open, so that other processes see that somebody is at it."""
    if fcntl:
        with suppress(OSError):  # some file systems know no locks
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_locked(part: Path) -> bool:
    if fcntl is None:
        return False
    try:
        with part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # it went meanwhile, or this file system knows no locks
        return False
    return False


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
