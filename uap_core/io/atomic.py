"""Atomic writes: a reader sees the old file or the new one, never a part."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` as in ``whole_file``. Raises OSError."""
    with whole_file(path) as out:
        out.write(data)


def check_place(path: Path) -> None:
    """See whether ``whole_file`` could write ``path``: make its folder, and a file beside it that goes again.

    Raises OSError, also for a folder and for a file that is protected from being written.
    """
    fault = errno.EISDIR if path.is_dir() else errno.EACCES if path.exists() and not os.access(path, os.W_OK) else 0
    if fault:
        raise OSError(fault, os.strerror(fault), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(suffix=".part", prefix=f".{path.name}.", dir=path.parent) as beside:
        beside.write(b"x")


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a binary file for writing that becomes ``path`` when the block ends without an error.

    Until then it is beside ``path`` under a unique name, and any error removes it: of several writers the last wins,
    whole. Missing folders are made. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(suffix=".part", prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as out:
            yield out
        os.chmod(beside, 0o644)  # temporary files are private by default
        os.replace(beside, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(beside)
        raise
