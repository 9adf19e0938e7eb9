"""The folder of files for visitors: it goes when its process ends, and after a day where the process was killed."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "uap-downloads-"
UNUSED = 24 * 3600.0  # seconds; a page that is open writes a file at almost every click


def own_folder() -> Path:
    """A new folder among the system's temporary files, gone at the end of this process."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def sweep(among: Path | None = None) -> None:
    """Remove such folders, of any process, in which nothing was written for a day.

    Whoever still runs makes its folder anew when it writes the next file. Those of other people stay, and do no harm.
    """
    now = time.time()
    for folder in (among or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        with suppress(OSError):  # it went meanwhile
            if now - folder.stat().st_mtime > UNUSED:
                shutil.rmtree(folder, ignore_errors=True)
