"""The pictures that ship and may be shown to everybody: a network's class impressions, and the sample photographs.

They are called "dream:FILE/NAME" and "sample:KEY", by which they are found again without torch.
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from PIL import Image

from uap_core.errors import DatasetError, ImageError
from uap_core.images.photographs import SAMPLE_PHOTOS, sample_photos
from uap_core.io.paths import dreams_path
from uap_core.models.zoo import dreams_for

if TYPE_CHECKING:
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.models.card import Card

DREAM, SAMPLE = "dream", "sample"


def shipped_pictures(card: Card) -> ImageSet:
    """The held-out class impressions that tell the truth about a network, where there are any, and the sample photographs, as
    it takes them. Raises DatasetError where there is no picture at all."""
    import numpy as np
    import torch

    from uap_core.datasets.image_sets import ImageSet, open_held_out
    from uap_core.images.reading import square

    shape, source = (card.resize_size, card.input_size), dreams_for(card)
    photos = sample_photos()
    if source is None and not photos:
        raise DatasetError("There are no pictures to show: install the requirements again, which bring some.")
    squares = [np.asarray(square(photo.open(), *shape, card.interpolation)).transpose(2, 0, 1) for photo in photos]
    size = (3, card.input_size, card.input_size)
    pixels = torch.from_numpy(np.stack(squares)) if squares else torch.empty((0, *size), dtype=torch.uint8)
    names = tuple(f"{SAMPLE}:{photo.key}" for photo in photos)
    found = ImageSet(f"{len(names)} sample photographs", pixels, ("",) * len(names), names)
    if source is None:
        return found
    dreams = open_held_out(source, *shape, interpolation=card.interpolation)
    files = tuple(f"{DREAM}:{source.stem}/{file}" for file in dreams.files)
    return replace(
        found,
        name=f"{len(files)} class impressions of {source.stem} and {found.name}",
        pixels=torch.cat([dreams.pixels, pixels]),
        classes=dreams.classes + found.classes,
        files=files + names,
    )


def open_shipped(name: str) -> Image.Image:
    """A picture by its name, 8-bit RGB. Raises ImageError where it is not there."""
    kind, _, rest = name.partition(":")
    if kind == SAMPLE:
        chosen = [photo for photo in SAMPLE_PHOTOS if photo.key == rest]
        if chosen:
            return chosen[0].open()
    if kind == DREAM:
        stem, _, file = rest.partition("/")
        try:
            with zipfile.ZipFile(dreams_path(PurePosixPath(stem).name)) as archive:
                return Image.open(BytesIO(archive.read(file))).convert("RGB")
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ImageError(f"The picture {name!r} is not among those that ship.") from error
    raise ImageError(f"The picture {name!r} is not among those that ship.")


def class_folder(name: str) -> str:
    """The WordNet id of the class that an impression is of; empty for a photograph."""
    return PurePosixPath(name).parent.name if name.startswith(f"{DREAM}:") else ""
