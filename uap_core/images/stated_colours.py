"""Colours that a picture states by numbers in place of a profile: a PNG's gAMA, cHRM and cICP, AVIF's nclx, Exif's Adobe RGB.

What browsers do (PNG, third edition, sections 4.3 and 13.13; ITU-T H.273 for the numbers of cICP and nclx; DCF 2.0 for Adobe
RGB). Most files state sRGB's own, of which nothing is to be done.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile

from uap_core.errors import ImageError
from uap_core.images.deep_greys import by_strips
from uap_core.norms import LEVELS

KEY = "stated_colours"  # in Image.info, which copies keep
HEAD = 1 << 16  # bytes in which the first boxes of an AVIF or JPEG 2000 are
# x and y of white, red, green and blue.
SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
ADOBE = (0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
PRIMARIES = {
    5: (0.3127, 0.329, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
EXPONENTS = {4: 2.2, 5: 2.8, 8: 1.0}  # of H.273's curves; the others that pictures have are sRGB's, or close to it
BRIGHTER_THAN_WHITE = {16: "PQ", 18: "HLG"}
ADOBE_EXPONENT = 563 / 256
USUAL_GAMMA = 1 / 2.2  # of a PNG, within a few hundredths: what sRGB is about
# Bradford's cone responses, in which one white is adapted to another, as colour management does.
BRADFORD = np.array(((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)))
EXIF, COLOUR_SPACE, INTEROPERABILITY = 0x8769, 0xA001, 0xA005


@dataclass(frozen=True)
class Stated:
    """``primaries`` (see SRGB) and the ``exponent`` from levels to light; 0 for sRGB's curve."""

    primaries: tuple[float, ...] = SRGB
    exponent: float = 0.0


def look(picture: ImageFile.ImageFile) -> None:
    """Note in ``picture.info`` what an open file that is not yet decoded states. Raises ImageError for high dynamic range.

    A profile has the last word, except over cICP. The one of a JPEG 2000 file is noted too: Pillow passes it over.
    """
    numbers = _png_numbers(picture) if picture.format == "PNG" else b""
    if profile := _jpeg2000_profile(picture):
        picture.info["icc_profile"] = profile
    if numbers:
        picture.info.pop("icc_profile", None)
    if "icc_profile" in picture.info:
        return
    if picture.format == "AVIF":
        numbers = _box(picture, b"colrnclx")[:4]
        numbers = bytes((numbers[1], numbers[3])) if len(numbers) == 4 else b""
    found = _of_numbers(*numbers[:2]) if numbers else _of_chunks(picture) if picture.format == "PNG" else _of_exif(picture)
    if found != Stated():
        picture.info[KEY] = found


def on_srgb(picture: Image.Image, stated: Stated) -> Image.Image:
    """8-bit RGB in colours so ``stated`` as sRGB (IEC 61966-2-1), relative colorimetric."""
    levels = np.arange(LEVELS + 1) / LEVELS
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    light = levels**stated.exponent if stated.exponent else light
    if stated.primaries == SRGB:
        return picture.point([int(level) for level in _curve(light)] * 3)
    matrix = (np.linalg.inv(_to_xyz(SRGB)) @ _to_xyz(stated.primaries)).T.astype(np.float32)
    light = light.astype(np.float32)
    curve = _curve(np.linspace(0, 1, 1 << 14)).astype(np.uint8)  # fine enough that no level is off by one

    def change(strip: Image.Image) -> Image.Image:
        linear = (light[np.asarray(strip)] @ matrix).clip(0, 1)
        return Image.fromarray(curve[np.rint(linear * (len(curve) - 1)).astype(np.uint16)])

    return by_strips(picture, "RGB", change)


def _jpeg2000_profile(picture: ImageFile.ImageFile) -> bytes:
    held = _box(picture, b"colr\2") if picture.format == "JPEG2000" else b""
    return held[2 : 2 + int.from_bytes(held[2:6], "big")]


def _curve(light: np.ndarray) -> np.ndarray:
    """sRGB's levels of linear light from 0 to 1."""
    return np.rint(LEVELS * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


def _to_xyz(primaries: tuple[float, ...]) -> np.ndarray:
    """The matrix (3,3) from linear red, green and blue to XYZ, adapted to sRGB's white."""
    corners = np.reshape(primaries, (4, 2))
    xyz = np.stack([corners[:, 0] / corners[:, 1], np.ones(4), (1 - corners.sum(axis=1)) / corners[:, 1]])
    white = np.array((SRGB[0] / SRGB[1], 1, (1 - SRGB[0] - SRGB[1]) / SRGB[1]))
    cones = BRADFORD @ white / (BRADFORD @ xyz[:, 0])
    adapted = np.linalg.inv(BRADFORD) @ np.diag(cones) @ BRADFORD
    return np.asarray(adapted @ (xyz[:, 1:] * np.linalg.solve(xyz[:, 1:], xyz[:, 0])))


def _of_numbers(primaries: int, transfer: int) -> Stated:
    if transfer in BRIGHTER_THAN_WHITE:
        raise ImageError(
            f"This picture is in high dynamic range ({BRIGHTER_THAN_WHITE[transfer]}), brighter than the white of 8 bits. Save "
            "it in standard range, as JPEG or PNG."
        )
    return Stated(PRIMARIES.get(primaries, SRGB), EXPONENTS.get(transfer, 0.0))


def _of_chunks(picture: Image.Image) -> Stated:
    """Of a PNG's gAMA, and of its cHRM beside that; sRGB's own chunk overrules both."""
    info = picture.info
    gamma, primaries = info.get("gamma", 0.0), info.get("chromaticity", ())
    if "srgb" in info or not isinstance(gamma, float) or not 0.01 < gamma < 100:
        return Stated()
    usual = abs(gamma / USUAL_GAMMA - 1) <= 0.05
    if not _are_colours(primaries) or np.allclose(primaries, SRGB, atol=0.002):
        return Stated() if usual else Stated(exponent=1 / gamma)
    return Stated(tuple(primaries), 1 / gamma)


def _are_colours(primaries: object) -> bool:
    """Whether eight numbers are the white and the corners of a triangle of colours."""
    if not isinstance(primaries, tuple) or len(primaries) != 8 or min(primaries[1::2]) < 0.01 or max(primaries) > 1:
        return False
    (_, _), red, green, blue = np.reshape(primaries, (4, 2))
    area = (green[0] - red[0]) * (blue[1] - red[1]) - (blue[0] - red[0]) * (green[1] - red[1])
    return bool(abs(area) > 0.01)


def _of_exif(picture: Image.Image) -> Stated:
    """Adobe RGB, of which cameras write no profile: Exif calls it uncalibrated, of the option file "R03"."""
    try:
        exif = picture.getexif()
        held = exif.get_ifd(EXIF)
        space, option = held.get(COLOUR_SPACE), exif.get_ifd(INTEROPERABILITY) if INTEROPERABILITY in held else {}
        adobe = space == 2 or (space != 1 and str(option.get(1, "")).startswith("R03"))
    except Exception:  # Exif that cannot be read says nothing about the picture
        return Stated()
    return Stated(ADOBE, ADOBE_EXPONENT) if adobe else Stated()


def _png_numbers(picture: ImageFile.ImageFile) -> bytes:
    """The content of cICP, which stands before the pixels; or empty."""
    if picture.fp is None:
        return b""
    place = picture.fp.tell()
    try:
        picture.fp.seek(8)
        while len(head := picture.fp.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"cICP" and length == 4:
                return picture.fp.read(4)
            if kind in (b"IDAT", b"IEND"):
                break
            picture.fp.seek(length + 4, 1)
    finally:
        picture.fp.seek(place)
    return b""


def _box(picture: ImageFile.ImageFile, name: bytes) -> bytes:
    """What follows ``name`` in the first kilobytes of an open file; or empty."""
    if picture.fp is None:
        return b""
    place = picture.fp.tell()
    picture.fp.seek(0)
    head = picture.fp.read(HEAD)
    _, _, rest = head.partition(name)
    if name == b"colr\2" and len(rest) >= 6 and len(rest) < 2 + int.from_bytes(rest[2:6], "big") <= 1 << 22:
        rest += picture.fp.read(2 + int.from_bytes(rest[2:6], "big") - len(rest))
    picture.fp.seek(place)
    return rest
