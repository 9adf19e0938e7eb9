"""The pictures that the page offers: sample photographs, and behind "more" a few dreams. Read without torch."""

from __future__ import annotations

import io
import logging
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from uap_core.i18n import _
from uap_core.images.photographs import Photo, sample_photos
from uap_core.images.reading import square
from uap_core.io.paths import dreams_path
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.serving.pictures import OPENERS

log = logging.getLogger("uap_core.ui")

DREAMS_SHOWN = 6


def photo_choices() -> list[tuple[str, str]]:
    """(caption, photo) of the sample photographs."""
    return [(photo.title, f"sample:{photo.key}") for photo in sample_photos()]


def dream_choices() -> list[tuple[str, str]]:
    """(caption, photo) of a few dreams."""
    return [(_("Class impression {number}").format(number=i + 1), f"dream:{i}") for i in range(len(dream_pixels()))]


def photo_name(photo: str) -> str:
    """What the page calls it: its caption among the choices, or that it is the visitor's own."""
    offered = photo_choices() + dream_choices()
    return next((caption for caption, one in offered if one == photo), _("your picture"))


def thumbnails() -> list[tuple[np.ndarray, str]]:
    """Pictures and captions, in the order of ``photo_choices``."""
    return [(picture_square(photo, 128, 128, "bilinear"), photo.title) for photo in sample_photos()]


def dream_grid() -> gr.Gallery:
    """The dreams as small pictures with captions, to choose from by a click; pixels are kept crisp."""
    return gr.Gallery(
        dream_thumbnails(),
        format="png",
        columns=DREAMS_SHOWN,
        height="auto",
        allow_preview=False,
        object_fit="cover",
        interactive=False,
        show_label=False,
        buttons=[],
        elem_id="dreams",
        elem_classes="pixels",
    )


def dream_thumbnails() -> list[tuple[np.ndarray, str]]:
    """Pictures and captions, short enough for their width, in the order of ``dream_choices``."""
    return [
        (pixels.repeat(2, 0).repeat(2, 1), _("No. {number}").format(number=i + 1)) for i, pixels in enumerate(dream_pixels())
    ]


@lru_cache(maxsize=1)
def dream_pixels() -> tuple[np.ndarray, ...]:
    """The first held-out dreams of the quick network, read without torch so that the page opens at once."""
    path = dreams_path(QUICK_MODEL)
    if not path.is_file():
        return ()
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.startswith("held_out/")]
            chosen = names[:: max(1, len(names) // DREAMS_SHOWN)][:DREAMS_SHOWN]
            return tuple(np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB")) for name in chosen)
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        log.warning("passed over %s, which holds no dreams: %s", path.name, error)
        return ()


@lru_cache(maxsize=64)
def picture_square(picture: Photo | Path, resize: int, crop: int, interpolation: str) -> np.ndarray:
    """``images.square`` as uint8 (crop,crop,3), cached: a large upload takes a second to decode and each click asks for it.

    A visitor's file is opened in a process of its own. Raises ImageError.
    """
    if isinstance(picture, Photo):
        pixels = np.array(square(picture.open(), resize, crop, interpolation))
    else:
        pixels = OPENERS.square(picture, (resize, crop, interpolation))
    pixels.setflags(write=False)
    return pixels
