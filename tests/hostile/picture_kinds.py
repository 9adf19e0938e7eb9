"""Pictures as scanners, cameras, microscopes and editors write them, each with its right levels, or to be refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from PIL import Image
from tiff_files import tiff

SIZE = WIDTH, HEIGHT = 16, 12
SEEDS = range(4)
D65 = (0.3127, 0.329)
PRIMARIES = {
    1: ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06)),
    5: ((0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),
    6: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    9: ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    12: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}
CURVES = {1: 0.0, 4: 2.2, 5: 2.8, 8: 1.0, 13: 0.0}  # of H.273: the exponent, or 0 for sRGB's


@dataclass(frozen=True)
class KindPicture:
    """A file called ``name`` with these ``levels`` (H,W,3), up to ``off``; refused where there are none."""

    name: str
    data: bytes
    levels: np.ndarray | None
    off: float = 0.0


def kind_pictures() -> Iterator[KindPicture]:
    """All of them."""
    for seed in SEEDS:
        colours = np.random.default_rng(seed).integers(90, 166, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        grey = np.random.default_rng(seed + 99).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
        grey[0, :2] = 0, 255
        yield from _tiffs(seed, colours, grey)
        yield from _floats(seed, grey)
        yield from _stated(seed, colours)


def _tiffs(seed: int, colours: np.ndarray, grey: np.ndarray) -> Iterator[KindPicture]:
    for order, packed, bits in product("<>", (False, True), (8, 16)):
        kind, times = f"{order}u{bits // 8}", 257 if bits == 16 else 1
        more, pack = ({"compression": 8}, zlib.compress) if packed else ({}, bytes)
        name = f"{seed} {order} {bits} {packed}"
        for planes in (1, 2):
            parts = colours.transpose(2, 0, 1) if planes == 2 else colours[None]
            strips = [pack((part.astype(kind) * times).astype(kind).tobytes()) for part in parts]
            yield KindPicture(f"{name} colours {planes}", tiff(strips, SIZE, bits, 2, 3, order, planes=planes, **more), colours)
        for white in (0, 1):
            numbers = (grey if white else 255 - grey).astype(kind) * times
            data = tiff([pack(numbers.astype(kind).tobytes())], SIZE, bits, white, 1, order, **more)
            unread = (white, order, bits) == (0, ">", 16)
            yield KindPicture(f"{name} grey {white}", data, None if unread else np.dstack([grey] * 3))


def _floats(seed: int, grey: np.ndarray) -> Iterator[KindPicture]:
    x = grey / 255.0
    for white in (1.0, 255.0, 65535.0):
        for low, high in ((0.0, 1.0), (0.0, 1.05), (-0.05, 1.0), (-0.09, 1.09)):
            numbers = low + x * (high - low)
            shown = np.rint(255 * numbers.clip(0, 1))
            yield KindPicture(f"{seed} {white} {low} {high}", _float(numbers * white), np.dstack([shown] * 3), 1.0)
    for name, numbers in {
        "from -1 to 1": 2 * x - 1,
        "less its mean": x - 0.5,
        "percent": 100 * x,
        "10 bits": 1023 * x,
        "12 bits": 4095 * x,
        "light without end": 1e6 * x,
        "no data": np.where(grey == 0, -9999, x),
        "not a number": np.where(grey == 0, np.nan, x),
        "infinite": np.where(grey == 255, np.inf, x),
    }.items():
        yield KindPicture(f"{seed} {name}", _float(numbers), None)


def _float(numbers: np.ndarray) -> bytes:
    return tiff([numbers.astype("<f4").tobytes()], SIZE, 32, 1, format=3)


def _stated(seed: int, colours: np.ndarray) -> Iterator[KindPicture]:
    for primaries, curve in product(PRIMARIES, CURVES):
        expected = _shown(colours, primaries, CURVES[curve])
        yield KindPicture(
            f"{seed} cICP {primaries} {curve}", _png(colours, b"cICP", bytes((primaries, curve, 0, 1))), expected, 1.0
        )
    for curve in (16, 18):
        yield KindPicture(f"{seed} cICP {curve}", _png(colours, b"cICP", bytes((9, curve, 0, 1))), None)
    for gamma in (0.3, 0.45455, 0.6, 1.0, 1.8):
        plain = abs(gamma - 0.45455) < 0.01
        expected = colours if plain else _shown(colours, 1, 1 / gamma)
        yield KindPicture(
            f"{seed} gAMA {gamma}", _png(colours, b"gAMA", struct.pack(">I", round(gamma * 100_000))), expected, 0.51
        )


def _shown(colours: np.ndarray, primaries: int, exponent: float) -> np.ndarray:
    """The levels of sRGB, from the definitions: the matrices of primaries whose white is D65."""
    x = colours / 255
    light = x**exponent if exponent else np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    linear = (light @ (np.linalg.inv(_matrix(1)) @ _matrix(primaries)).T).clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _matrix(primaries: int) -> np.ndarray:
    corners = np.array([(x / y, 1, (1 - x - y) / y) for x, y in (*PRIMARIES[primaries], D65)]).T
    return corners[:, :3] * np.linalg.solve(corners[:, :3], corners[:, 3])


def _png(colours: np.ndarray, kind: bytes, content: bytes) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(colours).save(stream, "PNG")
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return stream.getvalue()[:33] + chunk + stream.getvalue()[33:]
