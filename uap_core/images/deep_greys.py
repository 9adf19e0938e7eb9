"""Greys of 12 and 16 bits and of floats, brought to 8 bits; refused where nobody can know which number is white."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from uap_core.errors import ImageError
from uap_core.norms import LEVELS

ROWS = 256  # large pictures are converted in strips of so many rows, to limit memory
OVERSHOOT = 1.1  # resampling leaves the range by a little: cut off
FLOAT_WHITE = 4.0  # floats up to here are meant from 0 to 1, or a little more: the highest value is white
LEAST_HIGHEST = 0.45  # of the highest value of 8 and of 16 bits: floats that reach no further may be on another scale
DEEP_WHITE = 65535.0
SCALES = (float(LEVELS), DEEP_WHITE)


def is_deep(picture: Image.Image) -> bool:
    """Whether a picture is a grey one of more than 8 bits."""
    return picture.mode.startswith("I") or picture.mode == "F"


def eight_bits(picture: Image.Image, bits: int, turned: bool) -> Image.Image:
    """8-bit grey from a deep one. Pillow's own convert would clip everything above 255 to white.

    Whole numbers have ``bits`` bits; where ``turned``, their highest is black and 0 is white. The one level that a PNG marks
    as transparent becomes white. Raises ImageError where it cannot be told which number is white.
    """
    clear = picture.info.get("transparency")
    white = _float_white(picture) if picture.mode == "F" else _whole_white(picture, 2.0**bits - 1 if bits <= 16 else DEEP_WHITE)

    def scale(strip: Image.Image) -> Image.Image:
        numbers = _numbers(strip)
        levels = np.rint(numbers.clip(0, white) / white * LEVELS)
        levels = LEVELS - levels if turned else levels
        return Image.fromarray(np.where(numbers == clear, LEVELS, levels).astype(np.uint8))

    return by_strips(picture, "L", scale)


def by_strips(picture: Image.Image, mode: str, change: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """A new picture of ``mode``, made of what ``change`` makes of each strip of ``picture``."""
    changed = Image.new(mode, picture.size)
    for top, strip in _strips(picture):
        changed.paste(change(strip), (0, top))
    return changed


def _strips(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """(first row, those rows) of the whole picture."""
    for top in range(0, picture.height, ROWS):
        yield top, picture.crop((0, top, picture.width, min(top + ROWS, picture.height)))


def _whole_white(picture: Image.Image, white: float) -> float:
    """The number of white. Raises ImageError for levels of 8 bits in numbers of 16: nearly black, as no photograph is."""
    _, highest = _range(picture)
    if white == DEEP_WHITE and 0 < highest <= LEVELS:
        raise ImageError(
            f"These 16-bit greys go up to {highest:g} of 65535: they are 8-bit levels. Save the picture with 8 bits."
        )
    return max(white, highest)


def _float_white(picture: Image.Image) -> float:
    """What is white in floats, by how far they reach. Raises ImageError where that tells nothing."""
    low, high = _range(picture)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageError(
            "This picture holds values that are not numbers (NaN or infinite). Save it with 8 or 16 bits a colour."
        )
    if high <= FLOAT_WHITE:
        white = 1.0 if high <= OVERSHOOT else high
    else:
        white = next((scale for scale in SCALES if LEAST_HIGHEST * scale <= high <= OVERSHOOT * scale), 0.0)
    if not white or low < (1 - OVERSHOOT) * white:
        raise ImageError(
            f"The floats of this picture go from {low:.4g} to {high:.4g}, so black and white are not known. Save it "
            "with 8 or 16 bits a colour, or with floats from 0 to 1."
        )
    return white


def _range(picture: Image.Image) -> tuple[float, float]:
    """Lowest and highest number; NaN comes through."""
    ends = [(float(numbers.min()), float(numbers.max())) for _, strip in _strips(picture) for numbers in [_numbers(strip)]]
    return float(np.min(ends)), float(np.max(ends))


def _numbers(strip: Image.Image) -> np.ndarray:
    return np.asarray(strip, dtype=np.float64)
