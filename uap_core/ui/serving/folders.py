"""Folders that this process can write to, found before Gradio and torch look for theirs."""

from __future__ import annotations

import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from uap_core.errors import SettingError
from uap_core.io.paths import cache_folder
from uap_core.ui.runtime.downloads import own_folder, sweep

log = logging.getLogger("uap_core.ui")

PREFIX = "uap-uploads-"


def settle_folders() -> Path:
    """Give this process a temporary folder of its own, in which Gradio keeps uploads; returns it.

    Nobody else may enter it, it goes with the process, and those that killed processes left are removed. Gradio's usual one is
    shared by all users of a machine and belongs to the first of them. Where there is no home, or no cache that can be written
    to, both are in that folder, too. Raises SettingError when nothing can be written anywhere.
    """
    among = _temporary()
    sweep(among, PREFIX)
    try:
        own = own_folder(PREFIX, among)
        uploads = own / "gradio"
        uploads.mkdir()
    except OSError as error:
        raise SettingError(f"The folder {among} for temporary files cannot be written to ({error.strerror}).") from error
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)  # heeded when Gradio is imported
    if not _has_home():
        os.environ["HOME"] = str(own)
    cache = cache_folder()
    if not _takes_files(cache):
        os.environ["XDG_CACHE_HOME"] = str(own / "cache")
        log.warning("%s cannot be written to: what is downloaded is kept until this program ends.", cache)
    return own


def _temporary() -> Path:
    """Where temporary files go: what GRADIO_TEMP_DIR, TMPDIR or the system says, or the cache. Raises SettingError."""
    named = os.environ.get("GRADIO_TEMP_DIR")
    if named and _takes_files(Path(named)):
        return Path(named)
    if named:
        raise SettingError(f"GRADIO_TEMP_DIR names {named}, which cannot be written to: name another folder, or none.")
    with suppress(OSError):
        return Path(tempfile.gettempdir())
    cache = cache_folder() / "temporary"
    if not _takes_files(cache):
        raise SettingError("No folder for temporary files can be written to: name one in TMPDIR, or make room on the disk.")
    tempfile.tempdir = str(cache)
    return cache


def _has_home() -> bool:
    """Whether there is a home folder; in containers a user may have none, and libraries would fail to find theirs."""
    try:
        return Path.home().is_absolute()
    except RuntimeError:
        return False


def _takes_files(folder: Path) -> bool:
    """Whether a file can be written there. The folder is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError:
        return False
    return True
