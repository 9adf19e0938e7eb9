"""From all that pictures can be to upright 8-bit sRGB: colour profiles, gamma, transparency, deep and floating-point greys."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageCms

from uap_core.errors import ImageError
from uap_core.images.tiff import bits_of, white_is_zero
from uap_core.norms import LEVELS

ROWS = 256  # large pictures are converted in strips of so many rows, to limit memory
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
USUAL_GAMMA = 1 / 2.2  # of a PNG, within a few hundredths: what sRGB is about, so nothing is to be done
OVERSHOOT = 1.1  # resampling leaves [0,1] by a little: cut off; above that the highest value is white
DEEP_WHITE = 65535.0
FLOAT_WHITE = 4.0  # floats up to here are meant from 0 to 1, or a little more; above, from 0 to 255


def to_rgb(picture: Image.Image) -> Image.Image:
    """``picture`` upright, in 8-bit sRGB, transparency laid on white. Raises ImageError for colours that cannot be had."""
    profile, gamma = picture.info.get("icc_profile"), _odd_gamma(picture)
    return _on_srgb(_eight_bit_rgb(picture, profile if isinstance(profile, bytes) else b""), gamma)


def _eight_bit_rgb(picture: Image.Image, profile: bytes) -> Image.Image:
    turned, bits = white_is_zero(picture), bits_of(picture)
    picture = _managed(_upright(picture), profile)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture, 2**bits - 1.0 if bits <= 16 else DEEP_WHITE, turned)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return _on_white(picture)
    if picture.mode == "LAB":
        raise ImageError("This picture has LAB colours, which cannot be opened. Save it with RGB colours.")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _managed(picture: Image.Image, profile: bytes) -> Image.Image:
    """8-bit grey, RGB, RGBA, CMYK from the colours of ``profile`` to sRGB, relative colorimetric; sRGB's own unchanged."""
    if not profile or len(profile) > MAX_PROFILE or picture.mode not in ("L", "RGB", "RGBA", "CMYK", "P"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return picture
        if picture.mode == "P":
            picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        change = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), picture.mode, mode, ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
        return _by_strips(picture, mode, lambda strip: ImageCms.applyTransform(strip, change) or strip)
    except (
        ImageCms.PyCMSError,
        OSError,
        TypeError,
        ValueError,
    ):  # damaged, or for other colours than these: browsers ignore it
        return picture


def _odd_gamma(picture: Image.Image) -> float:
    """The gamma of a PNG that browsers apply: no profile, not marked as sRGB, and not the usual one. 0 for none."""
    info = picture.info
    gamma = info.get("gamma", 0.0)
    if picture.format != "PNG" or "icc_profile" in info or "srgb" in info or not isinstance(gamma, float):
        return 0.0
    return gamma if 0.01 < gamma < 100 and abs(gamma / USUAL_GAMMA - 1) > 0.05 else 0.0


def _on_srgb(picture: Image.Image, gamma: float) -> Image.Image:
    """8-bit RGB stored with ``gamma`` as sRGB (IEC 61966-2-1); untouched for 0."""
    if not gamma:
        return picture
    light = (np.arange(256) / LEVELS) ** (1 / gamma)
    levels = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return picture.point([round(float(level) * LEVELS) for level in levels] * 3)


def _upright(picture: Image.Image) -> Image.Image:
    """As EXIF says that it is to be turned. Pillow's own way copies every picture, and fails where any other tag is damaged."""
    try:
        turn = TURNS.get(picture.getexif().get(ORIENTATION))
    except Exception:  # EXIF that cannot be read says nothing about the picture
        return picture
    return picture if turn is None else picture.transpose(turn)


def _by_strips(picture: Image.Image, mode: str, change: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """A new picture of ``mode``, made of what ``change`` makes of each strip of ``picture``."""
    changed = Image.new(mode, picture.size)
    for top, strip in _strips(picture):
        changed.paste(change(strip), (0, top))
    return changed


def _strips(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """(first row, those rows) of the whole picture."""
    for top in range(0, picture.height, ROWS):
        yield top, picture.crop((0, top, picture.width, min(top + ROWS, picture.height)))


def _on_white(picture: Image.Image) -> Image.Image:
    def lay(strip: Image.Image) -> Image.Image:
        strip = strip.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip).convert("RGB")

    return _by_strips(picture, "RGB", lay)


def _eight_bits(picture: Image.Image, white: float, turned: bool) -> Image.Image:
    """12-bit, 16-bit and floating-point grey to 8 bits. Pillow's own convert would clip everything above 255 to white.

    ``white`` is the level of white in whole numbers; where ``turned``, that is black and 0 is white. The one level that a PNG
    marks as transparent becomes white.
    """
    clear = picture.info.get("transparency")
    highest = max(float(_numbers(strip).max(initial=0.0)) for _, strip in _strips(picture))
    full_scale = 255.0 if highest <= 255.0 else max(DEEP_WHITE, highest)
    if highest <= FLOAT_WHITE:
        full_scale = 1.0 if highest <= OVERSHOOT else highest
    if picture.mode.startswith("I"):
        full_scale = max(white, highest)

    def scale(strip: Image.Image) -> Image.Image:
        numbers = _numbers(strip)
        levels = np.rint(numbers.clip(0, full_scale) / full_scale * LEVELS).astype(np.uint8)
        levels = LEVELS - levels if turned else levels
        return Image.fromarray(
            np.where(numbers == clear, LEVELS, levels).astype(np.uint8) if isinstance(clear, int) else levels
        )

    return _by_strips(picture, "L", scale)


def _numbers(strip: Image.Image) -> np.ndarray:
    return np.nan_to_num(np.asarray(strip, dtype=np.float64))
