"""A colour profile is followed by what it does: "sRGB" in its name may also stand for linear light."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from uap_core.images.reading import open_image

# Of sRGB, adapted to D50, as the ICC's profiles state them.
PRIMARIES = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.7141),
    b"wtpt": (0.9642, 1.0, 0.8249),
}


def profile(name: str, curve: list[float]) -> bytes:
    """An ICC profile of sRGB's primaries with a ``curve``: one gamma, or the light at evenly spaced numbers."""
    tags = {
        key: b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in xyz)) for key, xyz in PRIMARIES.items()
    }
    numbers = [round(curve[0] * 256)] if len(curve) == 1 else [round(65535 * light) for light in curve]
    curved = b"curv\0\0\0\0" + struct.pack(f">I{len(numbers)}H", len(numbers), *numbers)
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curved)
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name.encode() + bytes(79)
    table, body = b"", b""
    for key, data in tags.items():
        table += key + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    white = struct.pack(">3i", *(round(65536 * value) for value in PRIMARIES[b"wtpt"]))
    head = bytes(4) + b"\0\0\0\0\x02\x10\0\0mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28) + white
    whole = head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


def srgb_curve(points: int) -> list[float]:
    stored = np.linspace(0, 1, points)
    return np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4).tolist()


def opened(picture: Image.Image, icc: bytes) -> np.ndarray:
    stream = io.BytesIO()
    picture.save(stream, "PNG", icc_profile=icc)
    return np.asarray(open_image(stream.getvalue()))


@pytest.mark.parametrize("name", ["Linear RGB", "GIMP built-in Linear sRGB", "sRGB-elle-V2-g10.icc", "sRGB"])
def test_linear_light_is_taken_for_what_it_is(name: str) -> None:
    """128 is the sRGB level of 55 of 255 of the light."""
    assert (opened(Image.new("RGB", (8, 8), (55, 55, 55)), profile(name, [1.0])) == 128).all()


@pytest.mark.parametrize(
    "icc",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        profile("sRGB IEC61966-2.1", srgb_curve(1024)),
        profile("c2", srgb_curve(256)),
    ],
    ids=["built in", "a table", "another name"],
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_srgb_stays_to_the_last_level_whatever_it_is_called(icc: bytes, mode: str) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    colours[0] = np.arange(64)[:, None]  # dark greys, where curves differ most
    assert np.array_equal(opened(Image.fromarray(colours).convert(mode), icc), colours)


def test_a_gamma_of_its_own_is_followed() -> None:
    """(20/255)^2.2 of the light: sRGB's curve has a straight beginning."""
    light = (20 / 255) ** 2.2
    level = round(255 * (1.055 * light ** (1 / 2.4) - 0.055))
    assert (
        np.abs(opened(Image.new("RGB", (8, 8), (20, 20, 20)), profile("sRGB, simplified", [2.2])).astype(int) - level).max()
        <= 1
    )
    assert level != 20
