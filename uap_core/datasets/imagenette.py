"""Imagenette: 13 394 photographs of ten ImageNet classes (Howard, 2019; Apache-2.0), fetched from where torchvision does.

The ten classes are easy ones, and most of the photographs networks were trained on: they do better on these than on others.
"""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from uap_core.errors import DownloadError
from uap_core.io.download import Fetched, download, one_at_a_time, remove_abandoned, writing
from uap_core.io.paths import cache_folder

# torchvision.datasets.Imagenette, size "320px": short sides of 320 pixels, enough for networks that take 224.
URL = "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz"
MD5 = "3df6f0d01a2c9592104656642f5e78a3"
MEGABYTES = 342
ADVICE = "Try again, or start the app with --images and a folder or zip of pictures."


def folder() -> Path:
    """Where it is kept: train/<wnid>/ and val/<wnid>/ below it."""
    return cache_folder() / "images" / "imagenette2-320"


def is_here() -> bool:
    """Whether all of it was fetched and unpacked."""
    return folder().is_dir()


def fetch() -> Iterator[Fetched]:
    """Download and unpack it, telling how far the download is; at once when it is here. Raises DownloadError.

    The folder appears when everything is in it; closing the iterator before leaves nothing behind.
    """
    if is_here():
        return
    if not hasattr(tarfile, "data_filter"):
        raise DownloadError("Unpacking Imagenette safely needs Python 3.10.12, 3.11.4 or newer.")
    home = folder().parent
    with one_at_a_time(folder()), writing("Imagenette", home):
        home.mkdir(parents=True, exist_ok=True)
        remove_abandoned(home, ".imagenette-*")
        archive = home / URL.rpartition("/")[2]
        yield from download(URL, archive, MD5, largest=2_000_000 * MEGABYTES, algorithm="md5", advice=ADVICE)
        with tempfile.TemporaryDirectory(dir=home, prefix=".imagenette-") as work:
            try:
                with tarfile.open(archive) as packed:
                    packed.extractall(work, filter="data")  # nothing outside the folder, no links out of it, no devices
                (Path(work) / folder().name).rename(folder())
            except (tarfile.TarError, EOFError, FileNotFoundError) as error:
                raise DownloadError(f"Imagenette was fetched but could not be unpacked into {home}: {error}.") from error
            finally:
                archive.unlink(missing_ok=True)
