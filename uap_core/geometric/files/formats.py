"""OBJ, OFF, PLY and plain text into points and polygons; nothing else of the formats is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from uap_core.errors import DatasetError
from uap_core.geometric.files.limits import MOST_FACES, MOST_VERTICES, content, lines_of, numbers, text_of

Polygons = list[list[int]]
_TYPES = {
    **dict.fromkeys(("char", "int8"), "<i1"),
    **dict.fromkeys(("uchar", "uint8"), "<u1"),
    **dict.fromkeys(("short", "int16"), "<i2"),
    **dict.fromkeys(("ushort", "uint16"), "<u2"),
    **dict.fromkeys(("int", "int32"), "<i4"),
    **dict.fromkeys(("uint", "uint32"), "<u4"),
    **dict.fromkeys(("float", "float32"), "<f4"),
    **dict.fromkeys(("double", "float64"), "<f8"),
}


def read_polygons(path: Path) -> tuple[np.ndarray, Polygons]:
    """Points (n,3) and polygons of a file, by its ending; the polygons of a cloud are none.

    Raises DatasetError for a file that is not what its ending says.
    """
    data, ending = content(path), path.suffix.lower()
    if ending == ".ply":
        found = _ply(data)
    elif ending in (".obj", ".off"):
        found = (_obj if ending == ".obj" else _off)(lines_of(text_of(data)))
    elif ending in (".txt", ".xyz", ".csv", ".pts"):
        found = _table([numbers(line) for line in _without_head(lines_of(text_of(data)))]), []
    else:
        raise DatasetError(f"A file ending in {ending or 'nothing'!r} cannot be opened; use .obj, .ply, .off, .xyz or .txt.")
    if len(found[1]) > MOST_FACES:
        raise DatasetError(f"The file has {len(found[1])} faces; at most {MOST_FACES} can be opened. Simplify it first.")
    return found


def _table(rows: list[list[float]]) -> np.ndarray:
    if any(len(row) < 3 for row in rows):
        raise DatasetError("A point has fewer than three coordinates; check the file.")
    return np.array([row[:3] for row in rows], dtype=np.float64).reshape(-1, 3)


def _without_head(lines: list[list[str]]) -> list[list[str]]:
    """Without a first line that names columns."""
    return lines[1:] if lines and not _is_number(lines[0][0]) else lines


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _obj(lines: list[list[str]]) -> tuple[np.ndarray, Polygons]:
    points = _table([numbers(line[1:4]) for line in lines if line[0] == "v"])
    corners = [[_whole(word.split("/")[0]) for word in line[1:]] for line in lines if line[0] == "f"]
    return points, [[c - 1 if c > 0 else len(points) + c for c in polygon] for polygon in corners]


def _off(lines: list[list[str]]) -> tuple[np.ndarray, Polygons]:
    if not lines or not lines[0][0].upper().endswith("OFF"):
        raise DatasetError("An OFF file begins with the word OFF; this one does not.")
    rest = ([lines[0][1:]] if len(lines[0]) > 1 else []) + lines[1:]
    counts = [_whole(word) for word in rest[0][:2]] if rest else []
    if len(counts) < 2 or min(counts) < 0 or len(rest) < 1 + sum(counts):
        raise DatasetError("The OFF file ends before all the points and faces that it announces.")
    points = _table([numbers(line) for line in rest[1 : 1 + counts[0]]])
    faces = rest[1 + counts[0] : 1 + sum(counts)]
    return points, [[_whole(word) for word in line[1 : 1 + _whole(line[0])]] for line in faces]


def _whole(word: str) -> int:
    try:
        return int(word)
    except ValueError as error:
        raise DatasetError(f"{word[:20]!r} was read where a whole number should stand; check the file.") from error


def _ply(data: bytes) -> tuple[np.ndarray, Polygons]:
    head, mark, body = data.partition(b"end_header")
    words = [line.split() for line in head.decode("latin-1").splitlines() if line.split()]
    if not mark or not words or words[0] != ["ply"]:
        raise DatasetError("A PLY file begins with 'ply' and a header; this one does not.")
    style = next((line[1] for line in words if line[0] == "format" and len(line) > 1), "")
    if style not in ("ascii", "binary_little_endian"):
        raise DatasetError(f"PLY of the format {style!r} cannot be opened; save it as ascii or binary little-endian.")
    elements: list[tuple[str, int, list[list[str]]]] = []
    for line in words:
        if line[0] == "element" and len(line) == 3:
            elements.append((line[1], _whole(line[2]), []))
        elif line[0] == "property" and elements and len(line) > 2:
            elements[-1][2].append(line[1:])
    if any(count < 0 or count > 10 * MOST_VERTICES for _name, count, _kinds in elements):
        raise DatasetError(f"The PLY file announces too many elements; at most {MOST_VERTICES} points can be opened.")
    body = body[body.index(b"\n") + 1 :] if b"\n" in body else b""
    try:
        rows = _ascii_rows(body, elements) if style == "ascii" else _binary_rows(body, elements)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise DatasetError("The PLY file ends early or does not hold what its header says.") from error
    vertices = next((found for found in rows if found[0] == "vertex"), None)
    if vertices is None or not {"x", "y", "z"} <= set(vertices[1]):
        raise DatasetError("The PLY file has no vertices with x, y and z.")
    axes = [vertices[1].index(axis) for axis in "xyz"]
    points = np.array([[float(row[axis]) for axis in axes] for row in vertices[2]], dtype=np.float64).reshape(-1, 3)
    polygons = [
        [int(corner) for corner in row[names.index(name)]]
        for kind, names, found in rows
        if kind == "face"
        for name in names
        if name in ("vertex_indices", "vertex_index")
        for row in found
    ]
    return points, polygons


Rows = list[tuple[str, list[str], list[list]]]  # numbers, and lists of numbers


def _ascii_rows(body: bytes, elements: list[tuple[str, int, list[list[str]]]]) -> Rows:
    lines = iter(lines_of(body.decode("latin-1")))
    found: Rows = []
    for name, count, kinds in elements:
        rows = []
        for _row in range(count):
            words = next(lines, None)
            if words is None:
                raise ValueError(name)
            row: list = []
            for kind in kinds:
                if kind[0] == "list":
                    length = int(words[0])
                    row.append([int(word) for word in words[1 : 1 + length]])
                    words = words[1 + length :]
                else:
                    row.append(float(words[0]))
                    words = words[1:]
            rows.append(row)
        found.append((name, [kind[-1] for kind in kinds], rows))
    return found


def _binary_rows(body: bytes, elements: list[tuple[str, int, list[list[str]]]]) -> Rows:
    found: Rows = []
    place = 0

    def take(kind: str, count: int) -> np.ndarray:
        nonlocal place
        if count < 0:
            raise ValueError(kind)
        values = np.frombuffer(body, _TYPES[kind], count, place)
        place += values.nbytes
        return values

    for name, count, kinds in elements:
        rows = []
        for _row in range(count):
            rows.append(
                [take(kind[2], int(take(kind[1], 1)[0])) if kind[0] == "list" else take(kind[0], 1)[0] for kind in kinds]
            )
        found.append((name, [kind[-1] for kind in kinds], rows))
    return found
