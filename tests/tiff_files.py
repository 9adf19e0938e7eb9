"""TIFFs written by hand (TIFF 6.0), of kinds that Pillow does not write."""

from __future__ import annotations

import struct

import numpy as np

LETTERS = {3: "H", 4: "I"}  # of a tag's type: whole numbers of 16 and of 32 bits
PALETTE, PREVIEW_OF, DNG_VERSION = 320, 330, 50706


def tiff(
    strips: list[bytes],
    size: tuple[int, int],
    bits: int,
    white: int,
    samples: int = 1,
    order: str = "<",
    lead: bytes = b"",
    **more: int,
) -> bytes:
    """A TIFF of ``size`` (width, height). ``white`` is its photometric interpretation: 0 white is zero, 1 black is, 2 RGB.

    ``lead`` lies before the directory. ``more``: compression, planes (2: apart), format (2: signed, 3: float),
    kind (1: reduced), preview_of, dng.
    """
    width, height = size
    rows = height * samples // len(strips) if more.get("planes") == 2 else height // len(strips)
    tags = {256: (3, [width]), 257: (3, [height]), 258: (3, [bits] * samples), 259: (3, [more.get("compression", 1)])}
    tags |= {262: (3, [white]), 273: (4, [0] * len(strips)), 277: (3, [samples]), 278: (3, [rows])}
    tags |= {279: (4, [len(strip) for strip in strips]), 284: (3, [more.get("planes", 1)])}
    tags |= {339: (3, [more.get("format", 1)] * samples)}
    if samples in (2, 4):
        tags[338] = (3, [2])  # the last one is transparency, not multiplied into the others
    for number, name in ((254, "kind"), (PREVIEW_OF, "preview_of"), (DNG_VERSION, "dng")):
        if name in more:
            tags[number] = (4, [more[name]])
    first = 8 + len(lead)
    starts = np.cumsum([first + len(_directory(tags, order, first)), *tags[279][1][:-1]])
    tags[273] = (4, starts.tolist())
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", first)
    return start + lead + _directory(tags, order, first) + b"".join(strips)


def _directory(tags: dict[int, tuple[int, list[int]]], order: str, first: int) -> bytes:
    """The directory, which begins at byte ``first``, and the values that are too long for it."""
    entries, values, place = b"", b"", first + 2 + 12 * len(tags) + 4
    for number, (kind, numbers) in sorted(tags.items()):
        data = struct.pack(f"{order}{len(numbers)}{LETTERS[kind]}", *numbers)
        entries += struct.pack(order + "HHI", number, kind, len(numbers))
        entries += data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(order + "I", place + len(values))
        values += data if len(data) > 4 else b""
    return struct.pack(order + "H", len(tags)) + entries + bytes(4) + values
