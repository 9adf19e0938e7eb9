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
from urllib.parse import urlsplit

from uap_core.errors import DownloadError
from uap_core.io.atomic import whole_file

BLOCK = 1 << 18
PATIENCE = 20.0
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
def one_at_a_time(path: Path) -> Iterator[None]:
    """Raise DownloadError while ``path`` is being fetched already: a second visitor would only halve the speed of both."""
    with _lock:
        if path in _under_way:
            raise DownloadError(f"{path.name} is being fetched already, here or by another visitor. Look again in a while.")
        _under_way.add(path)
    try:
        yield
    finally:
        with _lock:
            _under_way.discard(path)


def download(
    url: str, path: Path, digits: str, largest: int = 0, algorithm: str = "sha256", advice: str = ""
) -> Iterator[Fetched]:
    """Fetch ``url`` into ``path``, telling how far it is after every quarter of a megabyte.

    ``digits`` are the first ones of the file's hash; a server that offers more than ``largest`` bytes (if given) is not
    listened to. The file appears under its name when all of it is here and right; closing the iterator before leaves nothing
    behind. Raises DownloadError with what happened, and ``advice``, or what to save where.
    """
    advice = advice or f"Try again, or get {url} elsewhere and save it as {path}."
    with one_at_a_time(path), writing(path.name, path.parent):
        remove_abandoned(path.parent, f".{path.name}.*.part")
        digest, done = hashlib.new(algorithm, usedforsecurity=algorithm != "md5"), 0
        with whole_file(path) as out:
            for block, total in _blocks(url, path.name, advice):
                done += len(block)
                if largest and max(done, total) > largest:
                    raise DownloadError(f"{host_of(url)} offers a larger file than {path.name} is. {advice}")
                out.write(block)
                digest.update(block)
                yield Fetched(done, total)
            if not digest.hexdigest().startswith(digits):
                found = f"its {NAMES[algorithm]} does not begin with {digits[:8]}"
                raise DownloadError(f"What {host_of(url)} sent is not {path.name}: {found}. {advice}")


def _blocks(url: str, name: str, advice: str) -> Iterator[tuple[bytes, int]]:
    """What the server sends, an empty block first, each with the bytes announced (0 if they were not)."""
    import httpx

    with (
        connecting(url, name, advice),
        httpx.stream("GET", url, headers=PLAIN, follow_redirects=True, timeout=PATIENCE) as answer,
    ):
        answer.raise_for_status()
        total = int(answer.headers.get("content-length", 0))
        yield b"", total
        for block in answer.iter_bytes(BLOCK):
            yield block, total


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
