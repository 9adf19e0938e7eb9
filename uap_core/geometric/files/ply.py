"""PLY, as text or binary of either order, into points and polygons (Turk, 1994)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from uap_core.errors import DatasetError
from uap_core.geometric.files.limits import MOST_VERTICES, lines_of

Polygons = list[list[int]]
END = re.compile(rb"^end_header[ \t]*\r?\n", re.MULTILINE)
ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
CORNERS = ("vertex_indices", "vertex_index")
MOST_ROWS, MOST_PROPERTIES = 10 * MOST_VERTICES, 100


@dataclass
class Element:
    """What the header says of one kind of row: ``lists`` has the type of the length of each property that is a list."""

    name: str
    count: int
    names: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)


def read_ply(data: bytes) -> tuple[np.ndarray, Polygons]:
    """Points (n,3) and polygons of the bytes of a file. Raises DatasetError for what is none."""
    end = END.search(data)
    if not end or not data.startswith(b"ply"):
        raise DatasetError("A PLY file begins with 'ply' and a header; this one does not.")
    words = [line.split() for line in data[: end.start()].decode("latin-1").splitlines() if line.split()]
    style = next((line[1] for line in words if line[0] == "format" and len(line) > 1), "")
    if style not in ORDERS:
        raise DatasetError(f"PLY of the format {style[:20]!r} cannot be opened; save it as ascii or binary.")
    try:
        elements = _elements(words)
        body = data[end.end() :]
        found = _from_text(body, elements) if style == "ascii" else _from_bytes(body, elements, ORDERS[style])
        return _points_and_polygons(list(found))
    except (KeyError, IndexError, ValueError, TypeError, OverflowError) as error:
        raise DatasetError("The PLY file ends early or does not hold what its header says.") from error


def _elements(words: list[list[str]]) -> list[Element]:
    found: list[Element] = []
    for line in words:
        if line[0] == "element":
            found.append(Element(line[1], int(line[2])))
        elif line[0] == "property":
            found[-1].names.append(line[-1])
            found[-1].types.append(line[-2])
            found[-1].lists.append(line[2] if line[1] == "list" else "")
    if any(element.count < 0 for element in found) or sum(element.count for element in found) > MOST_ROWS:
        raise DatasetError(f"The PLY file announces too many rows; at most {MOST_VERTICES} points can be opened.")
    if sum(len(element.names) for element in found) > MOST_PROPERTIES:
        raise DatasetError(f"The PLY file announces more than {MOST_PROPERTIES} properties; save it with fewer.")
    return found


Row = list[float | list[float]]


def _from_text(body: bytes, elements: list[Element]) -> Iterator[tuple[Element, list[Row]]]:
    lines = iter(lines_of(body.decode("latin-1")))
    for element in elements:
        rows = []
        for _row in range(element.count):
            words, row = iter(next(lines, [])), Row()
            for length in element.lists:
                row.append([float(_next(words)) for _ in range(_whole(_next(words)))] if length else float(_next(words)))
            rows.append(row)
        yield element, rows


def _next(words: Iterator[str]) -> str:
    word = next(words, None)
    if word is None:
        raise ValueError
    return word


def _whole(word: str) -> int:
    count = int(word)
    if count < 0:
        raise ValueError(word)
    return count


def _from_bytes(body: bytes, elements: list[Element], order: str) -> Iterator[tuple[Element, list[Row]]]:
    place = 0
    for element in elements:
        kinds = [np.dtype(order + TYPES[kind]) for kind in element.types]
        if not any(element.lists):
            whole = np.dtype([(str(number), kind) for number, kind in enumerate(kinds)])
            table = np.frombuffer(body, whole, element.count if kinds else 0, place)
            place += table.nbytes
            yield element, [list(row) for row in table.tolist()]
            continue
        lengths = [np.dtype(order + TYPES[length]) if length else None for length in element.lists]
        rows = []
        for _row in range(element.count):
            row = Row()
            for kind, length in zip(kinds, lengths, strict=True):
                count = 1
                if length is not None:
                    count = _whole(np.frombuffer(body, length, 1, place)[0])
                    place += length.itemsize
                values = np.frombuffer(body, kind, count, place).tolist() if count else []
                place += count * kind.itemsize
                row.append(values if length is not None else values[0])
            rows.append(row)
        yield element, rows


def _points_and_polygons(found: list[tuple[Element, list[Row]]]) -> tuple[np.ndarray, Polygons]:
    vertices = next((one for one in found if one[0].name == "vertex"), None)
    if vertices is None or not {"x", "y", "z"} <= set(vertices[0].names):
        raise DatasetError("The PLY file has no vertices with x, y and z.")
    axes = [vertices[0].names.index(axis) for axis in "xyz"]
    points = np.array([[row[axis] for axis in axes] for row in vertices[1]], dtype=np.float64).reshape(-1, 3)
    polygons = [
        [int(corner) for corner in row[place]]  # type: ignore[union-attr]  # or a TypeError, as for a list that is none
        for element, rows in found
        if element.name == "face"
        for place, name in enumerate(element.names)
        if name in CORNERS
        for row in rows
    ]
    return points, polygons
