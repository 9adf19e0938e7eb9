"""Colours that a file states by numbers, without a profile: what colour management makes of them, or a sentence."""

from __future__ import annotations

import io
import struct
import zlib
from functools import partial

import numpy as np
import pytest
from PIL import Image
from test_images import wide_profile
from test_picture_kinds import AVIF, chunk, encoded, levels

from uap_core.errors import ImageError
from uap_core.images.reading import open_image

# Near enough to grey that sRGB holds them all, so that nothing is cut off.
COLOURS = np.random.default_rng(3).integers(90, 166, (16, 24, 3), dtype=np.uint8)
PICTURE = Image.fromarray(COLOURS)
SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
P3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
ADOBE = (0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
# From linear Display P3 and Adobe RGB to linear sRGB, as CSS Color 4 and Adobe's encoding (2005) give them.
P3_TO_SRGB = np.array(((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)))
ADOBE_TO_SRGB = np.array(((1.3984, -0.3984, 0.0), (0.0, 1.0, 0.0), (0.0, -0.0429, 1.0429)))


def light(colours: np.ndarray) -> np.ndarray:
    """sRGB's curve, which is Display P3's too."""
    x = colours / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def shown(linear: np.ndarray) -> np.ndarray:
    linear = linear.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def png(*chunks: bytes, picture: Image.Image = PICTURE) -> bytes:
    data = encoded(picture, "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def cicp(primaries: int, transfer: int) -> bytes:
    return chunk(b"cICP", bytes((primaries, transfer, 0, 1)))


def gama(value: float = 1 / 2.2) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def chrm(*values: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


def avif(primaries: int, transfer: int) -> bytes:
    data = bytearray(encoded(PICTURE, "AVIF", quality=100, subsampling="4:4:4"))
    place = data.index(b"colrnclx") + 8
    data[place : place + 4] = struct.pack(">HH", primaries, transfer)
    return bytes(data)


def jpeg(**tags: object) -> bytes:
    exif = Image.Exif()
    exif[0x8769] = {0xA001: tags["space"]} | ({0xA005: {1: tags["option"]}} if "option" in tags else {})
    return encoded(PICTURE, "JPEG", quality=100, subsampling=0, exif=exif)


def jp2(profile: bytes) -> bytes:
    """A JPEG 2000 file with a colour profile, which Pillow does not write."""
    data = encoded(PICTURE, "JPEG2000")
    head, colours = data.index(b"jp2h") - 4, data.index(b"colr") - 4
    size, old = (struct.unpack_from(">I", data, place)[0] for place in (head, colours))
    box = struct.pack(">I4s3B", 11 + len(profile), b"colr", 2, 0, 0) + profile
    start = data[:head] + struct.pack(">I", size + len(box) - old) + data[head + 4 : colours]
    return start + box + data[colours + old :]


WIDE = shown(light(COLOURS) @ P3_TO_SRGB.T)
OF_ADOBE = shown((COLOURS / 255) ** 2.2 @ ADOBE_TO_SRGB.T)
LINEAR = shown(COLOURS / 255)
CASES = {
    "cICP of P3": (partial(png, cicp(12, 13)), WIDE, 1.0),
    "cICP of light": (partial(png, cicp(1, 8)), LINEAR, 0.51),
    "cICP of sRGB": (partial(png, cicp(1, 13)), COLOURS, 0.0),
    "cICP over a profile": (partial(png, cicp(1, 13), chunk(b"iCCP", b"x\0\0" + zlib.compress(wide_profile()))), COLOURS, 0.0),
    "cHRM of Adobe RGB": (partial(png, gama(), chrm(*ADOBE)), OF_ADOBE, 1.0),
    "cHRM of sRGB": (partial(png, gama(), chrm(*SRGB)), COLOURS, 0.0),
    "cHRM without gAMA": (partial(png, chrm(*ADOBE)), COLOURS, 0.0),
    "cHRM under sRGB": (partial(png, chunk(b"sRGB", b"\0"), gama(), chrm(*ADOBE)), COLOURS, 0.0),
    "cHRM of nothing": (partial(png, gama(), chrm(*[0] * 8)), COLOURS, 0.0),
    "cHRM on a line": (partial(png, gama(), chrm(*[0.3] * 8)), COLOURS, 0.0),
    "light with white under it": (
        lambda: png(gama(1.0), picture=Image.fromarray(np.dstack([COLOURS, np.full(COLOURS.shape[:2], 128, np.uint8)]))),
        LINEAR * (128 / 255) + 127,
        1.1,
    ),
    "Exif of Adobe RGB": (lambda: jpeg(space=65535, option="R03"), OF_ADOBE, 6.0),
    "Exif of sRGB": (lambda: jpeg(space=1, option="R98"), COLOURS, 3.0),
    "a profile in JPEG 2000": (lambda: jp2(wide_profile()), levels(encoded(PICTURE, "PNG", icc_profile=wide_profile())), 0.0),
}
if AVIF:
    CASES |= {"AVIF of P3": (lambda: avif(12, 13), WIDE, 4.0), "AVIF of light": (lambda: avif(1, 8), LINEAR, 4.0)}


@pytest.mark.parametrize("kind", CASES)
def test_stated_colours_become_srgb(kind: str) -> None:
    write, expected, off = CASES[kind]
    assert np.abs(levels(write()) - expected).max() <= off
    assert off <= 0.0 or np.abs(expected - COLOURS).mean() > 3 or "sRGB" in kind, "the bare numbers would do"


@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("write", [png, *([avif] if AVIF else [])])
def test_brighter_than_white_is_refused(write: object, transfer: int) -> None:
    data = png(cicp(9, transfer)) if write is png else avif(9, transfer)
    with pytest.raises(ImageError, match=r"high dynamic range \((PQ|HLG)\)"):
        open_image(data)


def test_a_transparent_level_and_a_profile_are_both_heeded() -> None:
    clear = chunk(b"tRNS", struct.pack(">3H", *COLOURS[2, 5].tolist()))
    data = encoded(PICTURE, "PNG", icc_profile=wide_profile())
    place = data.index(b"IDAT") - 4
    expected = levels(data)
    expected[(COLOURS[2, 5] == COLOURS).all(axis=-1)] = 255
    assert np.array_equal(levels(data[:place] + clear + data[place:]), expected)


def test_greys_of_sixteen_bits_and_with_transparency_follow_their_profile() -> None:
    grey = COLOURS[..., 0]
    stream = io.BytesIO()
    profile = grey_profile()
    Image.fromarray(grey.astype(np.uint16) * 257).save(stream, "PNG", icc_profile=profile)
    plain = levels(encoded(Image.fromarray(grey), "PNG", icc_profile=profile))
    assert np.abs(plain[..., 0] - shown((grey / 255) ** 1.0)).max() <= 1
    assert np.array_equal(levels(stream.getvalue()), plain)
    opaque = Image.merge("LA", (Image.fromarray(grey), Image.new("L", PICTURE.size, 255)))
    assert np.array_equal(levels(encoded(opaque, "PNG", icc_profile=profile)), plain)


def grey_profile() -> bytes:
    """A profile of grey whose numbers are light."""
    white = struct.pack(">4s4x3i", b"XYZ ", *(round(value * 65536) for value in (0.9642, 1.0, 0.8249)))
    curve = struct.pack(">4s4xI", b"curv", 0)
    tags = {b"wtpt": white, b"kTRC": curve}
    start, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4xI", start + len(body), 0x02100000) + b"mntrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28) + white[8:]
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
