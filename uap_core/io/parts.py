"""The part of a file that is being fetched: one process holds it, and what a broken line or a killed process left is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from uap_core.errors import DownloadError
from uap_core.io.atomic import whole_file

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class LineError(DownloadError):
    """There is no connection, or it broke off: what came before is kept, and the next download goes on from there."""


class HeldError(Exception):
    """Another process holds the part."""


def part_of(path: Path) -> Path:
    """Where the part of ``path`` lies."""
    return path.with_name(f".{path.name}.part")


@contextmanager
def part_file(path: Path) -> Iterator[BinaryIO]:
    """Open the part of ``path``, which becomes ``path`` when the block ends without an error; missing folders are made.

    Bytes of an earlier download may be in it. A LineError and Ctrl+C leave it, as being killed does; any other error removes
    it. Raises HeldError while another process has it open. Where a file system knows no locks, every download begins
    anew under a name of its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    out = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
    if not _hold(out, part):
        out.close()
        with suppress(OSError):
            part.unlink()
        with whole_file(path) as new:
            yield new
        return
    try:
        yield out
        out.flush()
        os.replace(part, path)  # held until it has its name: nobody goes on with it
    except BaseException as error:
        with suppress(OSError):
            kept = isinstance(error, (LineError, KeyboardInterrupt)) and out.tell()
            if not kept:
                part.unlink()
        raise
    finally:
        with suppress(OSError):  # a full disk: its buffer cannot be written
            out.close()


def is_held(path: Path) -> bool:
    """Whether a process is fetching ``path``."""
    if fcntl is None:
        return False
    try:
        with part_of(path).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is none, or this file system knows no locks
        return False
    return False


def _hold(out: BinaryIO, part: Path) -> bool:
    """Lock an open part; False where that cannot be done. Raises HeldError if another process has it, or has just ended it."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        out.close()
        raise HeldError from error
    except OSError:  # some file systems know no locks
        return False
    with suppress(OSError):
        if os.path.samestat(os.fstat(out.fileno()), part.stat()):
            return True
    out.close()
    raise HeldError  # it was given its name, or removed, between opening and locking
