"""TIFFs that Pillow opens otherwise than they are meant: read rightly, or refused in a sentence (TIFF 6.0, sections 8, 19)."""

from __future__ import annotations

from typing import Any

from PIL import Image, TiffImagePlugin

from uap_core.errors import ImageError

# Numbers of tags, and of their values.
KIND, BITS, WHITE, COLOURS, PLANES, PARTS, INKS, SAMPLES, DNG = 254, 258, 262, 277, 284, 330, 332, 339, 50706
REDUCED, WHITE_IS_ZERO, APART, CMYK, SIGNED = 1, 0, 2, 1, 2
MOST_PREVIEWS = 8
STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFFs
UNREADABLE = (
    "This TIFF is damaged, or of a kind that cannot be opened here. Save it as PNG, or as TIFF with 8 or 16 bits a colour."
)


def prepare(picture: Image.Image) -> None:
    """Have a TIFF that is open and not yet decoded read as it is meant; other pictures stay as they are.

    Raises ImageError for a camera's raw file, of which Pillow would show the small preview, and for numbers whose white nobody
    knows.
    """
    if not isinstance(picture, TiffImagePlugin.TiffImageFile):
        return
    _skip_previews(picture)
    tags = picture.tag_v2
    if DNG in tags or (PARTS in tags and tags.get(KIND, 0) & REDUCED) or _is_canon(picture):
        raise ImageError("This is a camera's raw file, which cannot be opened here. Save it as JPEG or PNG.")
    bits = _first(tags.get(BITS, 1))
    if _first(tags.get(SAMPLES, 1)) == SIGNED:
        raise ImageError("This TIFF holds signed numbers, of which white is not known. Save it with 8 or 16 bits a colour.")
    if picture.mode.startswith("I") and bits not in (12, 16):
        raise ImageError(f"This TIFF holds whole numbers of {bits} bits, of which white is not known. Save it with 8 or 16.")
    if (tags.get(PLANES, 1) == APART and tags.get(COLOURS) == 2) or tags.get(INKS, CMYK) != CMYK:
        raise ImageError(UNREADABLE)  # Pillow takes the grey plane for transparency as well, and other inks for CMYK
    if tags.get(PLANES, 1) == APART and bits == 16:
        _in_sixteen_bits(picture, "B" if tags.prefix == b"MM" else "L")


def _skip_previews(picture: TiffImagePlugin.TiffImageFile) -> None:
    """Go on to the first page that is no smaller copy of another one, if there is such a page."""
    for page in range(1, MOST_PREVIEWS):
        tags = picture.tag_v2
        if not tags.get(KIND, 0) & REDUCED or PARTS in tags or DNG in tags:
            return
        try:
            picture.seek(page)
        except EOFError:
            picture.seek(0)
            return


def white_is_zero(picture: Image.Image) -> bool:
    """Whether the deep greys of a TIFF run from white to black; those of 8 bits and fewer Pillow turns round itself."""
    return (
        isinstance(picture, TiffImagePlugin.TiffImageFile)
        and (picture.mode.startswith("I") or picture.mode == "F")
        and picture.tag_v2.get(WHITE) == WHITE_IS_ZERO
    )


def bits_of(picture: Image.Image) -> int:
    """Bits of a number of a TIFF; 16 for other pictures, whose readers bring all deep greys to that."""
    return int(_first(picture.tag_v2.get(BITS, 16))) if isinstance(picture, TiffImagePlugin.TiffImageFile) else 16


def _is_canon(picture: TiffImagePlugin.TiffImageFile) -> bool:
    """Whether the letters that Canon's raw files (CR2) have after a TIFF's beginning are there."""
    if picture.fp is None:
        return False
    picture.fp.seek(8)  # decoding seeks what it needs
    return picture.fp.read(2) == b"CR"


def _in_sixteen_bits(picture: TiffImagePlugin.TiffImageFile, order: str) -> None:
    """Uncompressed planes apart: Pillow reads them as "R", "G", "B" whatever their bits are, a level from each byte."""
    tiles = []
    for tile in picture.tile:
        band, *others = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        deep = tile.codec_name == "raw" and len(str(band)) == 1
        tiles.append(tile._replace(args=(f"{band};16{order}", *others)) if deep else tile)
    picture.tile = tiles


def _first(value: Any) -> Any:
    """Of a tag that has a value for each colour."""
    return value[0] if isinstance(value, tuple) and value else value
