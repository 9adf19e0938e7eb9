"""Files that the page hands out, each in a folder of its own: written once, bounded, those unused for longest go."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from uap_core.io.atomic import write_whole
from uap_core.settings import limits
from uap_core.ui.serving.bodies import MEGABYTE
from uap_core.ui.serving.room import LEAST, OLD


@dataclass(frozen=True)
class Held:
    """The size of a file as it counts, and when it was last asked for (seconds)."""

    size: int
    at: float


class Shelf:
    """At most as many bytes as UAP_DISK_MB says, and none that nobody asked for in two hours. Safe to use from many threads.

    It remembers what it wrote, so that no call looks through the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held: OrderedDict[Path, Held] = OrderedDict()  # the one unused for longest first
        self._used = 0
        self._lasting: set[Path] = set()
        self._lock = threading.Lock()

    def put(self, name: str, content: bytes, made: Callable[[], bytes]) -> Path:
        """A file called ``name`` with what ``made`` makes of ``content``; the one of before where both are the same.

        Raises OSError where the disk does not take it, and SettingError for a limit that is none.
        """
        key = hashlib.sha256(name.encode() + b"\0" + content).hexdigest()[:16]
        path = self.folder / key / name
        data = b"" if path.exists() else made()  # while others may put theirs
        with self._lock:  # visitors at the same moment neither see half a file nor trip over one being removed
            try:
                if not path.exists():
                    write_whole(path, data or made())
            except OSError:
                with suppress(OSError):
                    path.parent.rmdir()
                raise
            os.utime(self.folder)  # still in use
            if path not in self._lasting:
                self._hold(path)
                self._make_room()
        return path

    def keep_for_good(self) -> None:
        """Never remove what is there by now, and do not count it: every visitor's page links to what it was built with."""
        with self._lock:
            self._lasting.update(self._held)
            self._held.clear()
            self._used = 0

    def _hold(self, path: Path) -> None:
        before, size = self._held.pop(path, None), max(LEAST, path.stat().st_size)
        self._used += size - (before.size if before else 0)
        self._held[path] = Held(size, time.monotonic())

    def _make_room(self) -> None:
        """Let those unused for longest go; the one that was just asked for stays."""
        most, old = limits().disk_megabytes * MEGABYTE, time.monotonic() - OLD
        while len(self._held) > 1 and (self._used > most or next(iter(self._held.values())).at < old):
            path, held = self._held.popitem(last=False)
            self._used -= held.size
            shutil.rmtree(path.parent, ignore_errors=True)
