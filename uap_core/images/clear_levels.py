"""The one level or colour that a PNG calls transparent (tRNS), in the 8 bits that its pixels are decoded to.

Pillow brings the pixels to 8 bits and leaves the file's own number beside them.
"""

from __future__ import annotations

from PIL import ImageFile

STEPS = {"L;2": 85, "L;4": 17}  # between the levels of greys of 2 and 4 bits
CLEAR = "transparency"  # in Image.info


def prepare(picture: ImageFile.ImageFile) -> None:
    """Bring what an open PNG that is not yet decoded calls transparent to 8 bits: of 16 the upper ones, as Pillow does."""
    stored, clear = picture.tile[0].args if picture.tile else None, picture.info.get(CLEAR)
    if picture.format != "PNG" or clear is None:
        return
    if stored == "RGB;16B":
        picture.info[CLEAR] = tuple(level >> 8 for level in clear)
    elif stored in STEPS:
        picture.info[CLEAR] = clear * STEPS[stored]
