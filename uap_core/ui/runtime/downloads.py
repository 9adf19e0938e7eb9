"""Folders of our own among the system's temporary files: private, gone with their process, and swept where it was killed."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed
    fcntl = None  # type: ignore[assignment]

PREFIX = "uap-downloads-"
UNUSED = 24 * 3600.0  # seconds; a page that is open writes a file at almost every click
LOCK = ".in-use" if fcntl else ".in-use.new"

_held: list[IO[bytes]] = []  # locks of this process's folders, for as long as it lives


def own_folder(prefix: str = PREFIX, among: Path | None = None) -> Path:
    """A new folder that nobody else may enter, gone at the end of this process. Raises OSError."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=among))
    lock = (folder / ".in-use.new").open("wb")
    if fcntl:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / ".in-use.new").rename(folder / LOCK)  # it appears locked
    _held.append(lock)
    atexit.register(_remove, folder, lock)
    return folder


def sweep(among: Path | None = None, prefix: str = PREFIX) -> None:
    """Remove such folders whose process is no more, and those without a lock in which nothing was written for a day.

    Those of other people stay, and do no harm.
    """
    now = time.time()
    for folder in (among or Path(tempfile.gettempdir())).glob(f"{prefix}*"):
        with suppress(OSError):  # it went meanwhile
            abandoned = _abandoned(folder / LOCK)
            if abandoned or (abandoned is None and now - folder.stat().st_mtime > UNUSED):
                shutil.rmtree(folder, ignore_errors=True)


def _abandoned(lock: Path) -> bool | None:
    """Whether the process that held it is gone; None where there is none to ask."""
    if lock.is_symlink() or not lock.is_file():
        return None
    if fcntl is None:
        try:
            lock.unlink()
        except PermissionError:
            return False
        return True
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _remove(folder: Path, lock: IO[bytes]) -> None:
    if fcntl is None:  # an open file would stay, and its folder
        lock.close()
    shutil.rmtree(folder, ignore_errors=True)
