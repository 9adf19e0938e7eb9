"""From all that pictures can be to upright 8-bit sRGB: profiles, stated colours, transparency, deep greys."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import product

from PIL import Image, ImageChops, ImageCms

from uap_core.errors import ImageError
from uap_core.images import stated_colours
from uap_core.images.deep_greys import by_strips, eight_bits, is_deep
from uap_core.images.tiff import bits_of, white_is_zero

ORIENTATION = 0x0112  # EXIF's tag, and what its values ask for
TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
MAX_PROFILE = 4_000_000  # bytes; those of displays and cameras have some hundred to some thousand, of presses up to 3 MB
ROUNDED = 2  # levels; profiles of sRGB keep its curve in tables of 1 024 numbers
LADDER = range(0, 256, 51)
# Every grey, and all mixtures of six levels: what tells one space of colours from another.
SAMPLES = {"L": bytes(range(256)), "RGB": bytes(level for mixture in product(LADDER, repeat=3) for level in mixture)}
SAMPLES["RGB"] += bytes(level for grey in range(256) for level in [grey] * 3)

WITH_ALPHA = {"1": "LA", "L": "LA", "RGB": "RGBA", "P": "RGBA"}  # what a mode becomes that names a transparent level
OTHERWISE = {"P": "RGB", "PA": "RGBA", "RGBa": "RGBA", "La": "LA"}


def to_rgb(picture: Image.Image) -> Image.Image:
    """``picture`` upright, in 8-bit sRGB, transparency laid on white. Raises ImageError for colours that cannot be had."""
    profile, stated = picture.info.get("icc_profile"), picture.info.get(stated_colours.KEY)
    turned, bits = white_is_zero(picture), bits_of(picture)
    picture = _upright(picture)
    picture = eight_bits(picture, bits, turned) if is_deep(picture) else picture
    mode = (WITH_ALPHA if "transparency" in picture.info else OTHERWISE).get(picture.mode, picture.mode)
    picture = picture.convert(mode) if mode != picture.mode else picture
    if picture.mode == "LAB":
        raise ImageError("This picture has LAB colours, which cannot be opened. Save it with RGB colours.")
    if isinstance(stated, stated_colours.Stated):
        picture = _each_colour(picture, lambda colours: stated_colours.on_srgb(colours.convert("RGB"), stated))
    elif isinstance(profile, bytes):
        picture = _managed(picture, profile)
    if picture.mode in ("RGBA", "LA"):
        return _on_white(picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _managed(picture: Image.Image, profile: bytes) -> Image.Image:
    """From the colours of ``profile`` to sRGB, relative colorimetric; of a profile that does nothing unchanged."""
    if not profile or len(profile) > MAX_PROFILE:
        return picture
    try:
        source, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        mode = picture.mode.removesuffix("A")
        change = ImageCms.buildTransform(source, srgb, mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
        if mode in SAMPLES and _moves_nothing(change, mode):
            return picture
        return _each_colour(picture, lambda colours: by_strips(colours, "RGB", lambda strip: _applied(strip, change)))
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):  # damaged, or for other colours: browsers ignore it
        return picture


def _moves_nothing(change: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a profile is sRGB's own, but for what its tables round: its name may say so of linear light as well."""
    sample = Image.frombytes(mode, (len(SAMPLES[mode]) // len(mode), 1), SAMPLES[mode])
    moved = ImageChops.difference(_applied(sample, change), sample.convert("RGB"))
    return max(moved.tobytes()) <= ROUNDED


def _applied(strip: Image.Image, change: ImageCms.ImageCmsTransform) -> Image.Image:
    return ImageCms.applyTransform(strip, change) or strip


def _each_colour(picture: Image.Image, change: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """What ``change`` makes of the colours, RGB; where ``picture`` has an alpha channel, with that."""
    if picture.mode not in ("RGBA", "LA"):
        return change(picture)
    changed = change(picture.convert(picture.mode.removesuffix("A")))
    changed.putalpha(picture.getchannel("A"))
    return changed


def _upright(picture: Image.Image) -> Image.Image:
    """As EXIF says that it is to be turned. Pillow's own way copies every picture, and fails where any other tag is damaged."""
    try:
        turn = TURNS.get(picture.getexif().get(ORIENTATION))
    except Exception:  # EXIF that cannot be read says nothing about the picture
        return picture
    return picture if turn is None else picture.transpose(turn)


def _on_white(picture: Image.Image) -> Image.Image:
    def lay(strip: Image.Image) -> Image.Image:
        strip = strip.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip).convert("RGB")

    return by_strips(picture, "RGB", lay)
