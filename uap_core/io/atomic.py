"""Atomic writes: a reader sees the old file or the new one, never a part."""

from __future__ import annotations

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
