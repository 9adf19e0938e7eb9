"""Files from the network: streamed, checked, and put in place only when they are whole."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from uap_core.errors import DownloadError

BLOCK = 1 << 18
PATIENCE = 20.0
ABANDONED = 3600
NAMES = {"sha256": "SHA-256", "md5": "MD5"}
PLAIN = {"Accept-Encoding": "identity"}  # so that the bytes announced are the bytes that come


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


def download(url: str, path: Path, digits: str, largest: int = 0, algorithm: str = "sha256") -> Iterator[Fetched]:
    """Fetch ``url`` into ``path``, telling how far it is after every quarter of a megabyte.

    ``digits`` are those that the file's hash begins with; a server that offers more than ``largest`` bytes (if given) is not
    listened to. The file appears under its name when all of it is here and right; closing the iterator before leaves
    nothing behind. Raises DownloadError with what happened and what to do.
    """
    import httpx

    host = urlsplit(url).netloc
    by_hand = f"Try again, or get {url} elsewhere and put it into {path.parent}."
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        handle, name = tempfile.mkstemp(suffix=".part", prefix=f".{path.name}.", dir=path.parent)
        part = Path(name)
        digest, done = hashlib.new(algorithm, usedforsecurity=algorithm != "md5"), 0
        with (
            os.fdopen(handle, "wb") as out,
            httpx.stream("GET", url, headers=PLAIN, follow_redirects=True, timeout=PATIENCE) as answer,
        ):
            answer.raise_for_status()
            total = int(answer.headers.get("content-length", 0))
            yield Fetched(0, total)
            for block in answer.iter_bytes(BLOCK):
                done += len(block)
                if largest and max(done, total) > largest:
                    raise DownloadError(f"{host} offers a larger file than {path.name} is. {by_hand}")
                out.write(block)
                digest.update(block)
                yield Fetched(done, total)
        if not digest.hexdigest().startswith(digits):
            raise DownloadError(
                f"What {host} sent is not {path.name}: its {NAMES[algorithm]} does not begin with {digits[:8]}. {by_hand}"
            )
        part.chmod(0o644)  # temporary files are for their owner's eyes only
        os.replace(part, path)
    except httpx.HTTPStatusError as error:
        raise DownloadError(f"{host} answered {error.response.status_code} for {path.name}. {by_hand}") from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.ProxyError) as error:
        raise DownloadError(f"There is no connection to {host}. {by_hand}") from error
    except httpx.HTTPError as error:
        raise DownloadError(f"The connection to {host} broke off before {path.name} was whole. {by_hand}") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DownloadError(f"The disk is full: there is no room for {path.name} in {path.parent}.") from error
        raise DownloadError(f"{path.name} cannot be written into {path.parent}: {error.strerror}.") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    """What downloads of ``path`` left behind that were killed: parts that nobody has written to for an hour."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()
