"""Arrays of numbers in MATLAB's .mat files of version 5, read here: SciPy's reader of damaged ones may end the whole process.

The file is a header of 128 bytes and a row of elements: type and length, 4 bytes each in the header's byte order, and as many
bytes, filled up to a multiple of 8. A matrix (type 14) is itself a row of elements: flags, dimensions, name, and its numbers,
which may be stored in a smaller type than they have. Type 15 holds another element, compressed (MATLAB's "MAT-File Format",
2023).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator

import numpy as np

from uap_core.errors import PerturbationError

MATRIX, COMPRESSED, HEADER = 14, 15, 128
# By MATLAB's numbers: how numbers are stored, and the class that an array has.
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
COMPLEX_FLAG, LOGICAL_FLAG = 1 << 11, 1 << 9
MOST_AXES = 32
TOO_LARGE = "Unpacked, this .mat file would be far larger than any perturbation."


def read_mat(data: bytes, most_bytes: int, most_values: int, most_arrays: int) -> dict[str, np.ndarray]:
    """Every plain array by name; structures, texts and sparse matrices are passed over.

    Raises PerturbationError for other versions, for what would be larger unpacked than ``most_bytes``, an array than
    ``most_values``, and for more than ``most_arrays``; ValueError for a damaged file.
    """
    if len(data) < HEADER or data[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        if data[124:128] in (b"\x00\x02IM", b"\x02\x00MI") or data[:10] == b"MATLAB 7.3":
            raise PerturbationError("This .mat file is of MATLAB 7.3. Save it with save(..., '-v7').")
        if data[:4] == bytes(4) or 0 in data[:4]:
            raise PerturbationError(
                "This .mat file is damaged, or of MATLAB 4, which knows no arrays of three axes. Save it with save(..., '-v7')."
            )
        raise ValueError("no header of version 5")
    order = "<" if data[126:128] == b"IM" else ">"
    found: dict[str, np.ndarray] = {}
    room, free, passed_over = most_bytes, most_bytes, False  # what may still be unpacked, and be kept as arrays
    for number, (kind, element) in enumerate(_elements(data[HEADER:], order)):
        if number >= most_arrays:
            raise PerturbationError(f"This .mat file holds more than {most_arrays} arrays. Save the pattern alone.")
        if kind == COMPRESSED:
            unpacked = _inflated(element, room)
            room -= len(unpacked)
            kind, element = next(_elements(unpacked, order))
        if kind == MATRIX:
            named = _matrix(element, order, most_values)
            free -= 0 if named is None else named[1].nbytes  # bytes may stand for numbers of 8 bytes each
            if free < 0:
                raise PerturbationError(TOO_LARGE)
            found |= {} if named is None else dict([named])
            passed_over = passed_over or named is None
    if passed_over and not found:
        raise PerturbationError(
            "This .mat file holds no array of numbers by itself, but structures, cells or texts. Save the pattern alone: "
            "v = s.v; save('v.mat', 'v', '-v7')."
        )
    return found


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """(type, content) of each; four bytes or fewer stand in the place of the length. Raises ValueError for one cut off."""
    place = 0
    while place + 8 <= len(data):
        first, length = (int(value) for value in np.frombuffer(data, f"{order}u4", 2, place))
        start = place + 8
        if first >> 16:  # a small element: its length is in the upper half of the first word
            first, length, start = first & 0xFFFF, first >> 16, place + 4
        if start + length > len(data) or (start == place + 4 and length > 4):
            raise ValueError("an element is longer than the file")
        yield first, data[start : start + length]
        place = start + length
        if first != COMPRESSED:
            place += -place % 8


def _inflated(element: bytes, room: int) -> bytes:
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(element, room + 1)  # 0 would be no limit
    if len(data) > room:
        raise PerturbationError(TOO_LARGE)
    if not unpacking.eof:
        raise ValueError("a compressed element is cut off")
    return data


def _matrix(element: bytes, order: str, most_values: int) -> tuple[str, np.ndarray] | None:
    """Name and values of one matrix; None where it holds no plain numbers."""
    parts = _elements(element, order)
    (_, flags), (_, shape), (_, name) = next(parts), next(parts), next(parts)
    flag = int(np.frombuffer(flags, f"{order}u4", 1)[0])
    if flag & 0xFF not in CLASSES:
        return None
    sides = tuple(int(side) for side in np.frombuffer(shape, f"{order}i4"))
    if not sides or len(sides) > MOST_AXES or min(sides) < 0:
        raise ValueError("no dimensions")
    if math.prod(sides) > most_values:
        raise PerturbationError(f"An array of the shape {sides} is far larger than any perturbation.")
    values = _numbers(next(parts), order, sides).astype(CLASSES[flag & 0xFF])
    if flag & COMPLEX_FLAG:
        values = values + 1j * _numbers(next(parts), order, sides)
    return name.decode("latin-1"), values.astype(bool) if flag & LOGICAL_FLAG else values


def _numbers(part: tuple[int, bytes], order: str, sides: tuple[int, ...]) -> np.ndarray:
    kind, content = part
    if kind not in STORED:
        raise ValueError("numbers of no such type")
    values = np.frombuffer(content, order + STORED[kind])
    if len(values) != math.prod(sides):
        raise ValueError("its size is not what its dimensions say")
    return values.reshape(sides, order="F")
