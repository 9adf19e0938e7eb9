"""How much of the disk visitors may fill: all together, and the uploads of each address. The oldest files go."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

STAGING = ".staging"  # where uploads are while they come in
LEFT = 60.0  # seconds after which a file that belongs to nothing goes; Gradio leaves an empty one for each opened pattern
OLD = 2 * 3600.0  # seconds after which any file goes
LOOK = 15.0  # seconds between two looks at everything
LEAST = 32_768  # bytes that a file counts at least, so that tiny ones do not use up the disk's entries


@dataclass(frozen=True)
class Kept:
    """A file, its size as it counts, and when it was written or last handed out (seconds)."""

    path: Path
    size: int
    at: float


class Room:
    """The folder of uploads, and of copies that Gradio makes of what it shows. Safe to use from many threads.

    What is there already belongs to the page and stays.
    """

    def __init__(self, folder: Path, most: int, most_each: int) -> None:
        self.folder, self.most, self.most_each = folder, most, most_each
        folder.mkdir(parents=True, exist_ok=True)
        self._ours = {kept.path for kept in _files(folder)}
        self._owners: dict[Path, set[str]] = {}  # who sent it: equal files lie at one path
        self._coming: dict[str, int] = {}  # bytes that are expected of each address
        self._used = 0  # bytes at the last look, and what came since
        self._lock = threading.Lock()

    def admit(self, address: str, size: int) -> bool:
        """Make room for ``size`` bytes of ``address``; say whether there is. To be followed by ``settle``."""
        with self._lock:
            coming, mine = sum(self._coming.values()) + size, self._coming.get(address, 0) + size
            if coming > self.most or mine > self.most_each:
                return False
            if self._used + coming > self.most:
                self._sweep(self.most - coming)
            self._shrink(address, self.most_each - mine)
            self._coming[address] = mine
            return self._used + coming <= self.most

    def settle(self, address: str, size: int, paths: list[Path]) -> None:
        """The upload that ``admit`` was told of is over, and left these files."""
        with self._lock:
            self._coming[address] -= size
            if not self._coming[address]:
                del self._coming[address]
            for path in paths:
                self._owners.setdefault(path, set()).add(address)
                with suppress(OSError):
                    self._used += max(LEAST, path.stat().st_size)

    def tidy(self) -> None:
        """Remove what is left over, old, or too much."""
        with self._lock:
            self._sweep(self.most - sum(self._coming.values()))

    def used(self) -> int:
        """Bytes by the last look, with what came since."""
        return self._used

    def _sweep(self, most: int) -> None:
        """Look at everything, remove what is left over or old, then the oldest until ``most`` bytes are left."""
        now, found = time.time(), []
        for kept in _files(self.folder):
            if kept.path in self._ours:
                continue
            loose = kept.path.parent == self.folder
            if now - kept.at > (LEFT if loose else OLD):
                _remove(kept.path, self.folder)
            else:
                found.append(kept)
        found.sort(key=lambda kept: kept.at)
        used = sum(kept.size for kept in found)
        for kept in found:
            if used <= most:
                break
            _remove(kept.path, self.folder)
            used -= kept.size
        self._used = used
        self._owners = {path: owners for path, owners in self._owners.items() if path.exists()}

    def _shrink(self, address: str, most: int) -> None:
        """Let the oldest uploads of one address go until ``most`` bytes are left; what others sent too stays."""
        mine = []
        for path in [path for path, owners in self._owners.items() if address in owners]:
            with suppress(OSError):
                mine.append(_kept(path))
        mine.sort(key=lambda kept: kept.at)
        used = sum(kept.size for kept in mine)
        for kept in mine:
            if used <= most:
                break
            used -= kept.size
            self._owners[kept.path].discard(address)
            if not self._owners[kept.path]:
                del self._owners[kept.path]
                _remove(kept.path, self.folder)
                self._used -= kept.size


def keep_tidy(room: Room) -> None:
    """Look after it for as long as the process lives. For a thread of its own."""
    while True:
        time.sleep(LOOK)
        with suppress(OSError):
            room.tidy()


def _kept(path: Path) -> Kept:
    """Raises OSError when it is gone."""
    found = path.lstat()
    return Kept(path, max(LEAST, found.st_size), max(found.st_mtime, found.st_ctime))


def _files(folder: Path) -> Iterator[Kept]:
    """All files below, but those that are coming in."""
    for place, folders, names in os.walk(folder):  # passes over a folder that went meanwhile
        if Path(place) == folder and STAGING in folders:
            folders.remove(STAGING)
        for name in names:
            with suppress(OSError):  # it went meanwhile
                yield _kept(Path(place, name))


def _remove(path: Path, top: Path) -> None:
    """A file, and the folder that it leaves empty."""
    with suppress(OSError):
        path.unlink()
        if path.parent != top:
            path.parent.rmdir()


def clear(folder: Path) -> None:
    """A folder of things that came in, whatever became of them."""
    shutil.rmtree(folder, ignore_errors=True)
