"""OBJ, OFF, PLY and plain text into points and polygons; nothing else of the formats is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from uap_core.errors import DatasetError
from uap_core.geometric.files.limits import MOST_FACES, cells_of, content, lines_of, numbers, text_of
from uap_core.geometric.files.ply import Polygons, read_ply

LARGEST = 2**31  # no number in such a file is larger


def read_polygons(path: Path) -> tuple[np.ndarray, Polygons]:
    """Points (n,3) and polygons of a file, by its ending; the polygons of a cloud are none.

    Raises DatasetError for a file that is not what its ending says.
    """
    data, ending = content(path), path.suffix.lower()
    if ending == ".ply":
        found = read_ply(data)
    elif ending in (".obj", ".off"):
        found = (_obj if ending == ".obj" else _off)(lines_of(text_of(data)))
    elif ending in (".txt", ".xyz", ".csv", ".pts"):
        found = _table(_coordinates(cells_of(text_of(data)))), []
    else:
        raise DatasetError(f"A file ending in {ending or 'nothing'!r} cannot be opened; use .obj, .ply, .off, .xyz or .txt.")
    triangles = sum(max(0, len(polygon) - 2) for polygon in found[1])
    if triangles > MOST_FACES:
        raise DatasetError(f"The file has {triangles} triangles; at most {MOST_FACES} can be opened. Simplify it first.")
    return found


def _table(rows: list[list[float]]) -> np.ndarray:
    if any(len(row) < 3 for row in rows):
        raise DatasetError("A point has fewer than three coordinates; check the file.")
    return np.array([row[:3] for row in rows], dtype=np.float64).reshape(-1, 3)


def _coordinates(lines: list[list[str]]) -> list[list[float]]:
    """The columns x, y and z where a first line names them, else the first three; a count of the points is passed by."""
    columns = [0, 1, 2]
    if lines and not _is_number(lines[0][0]):
        names, lines = [word.strip("\"' #").lower() for word in lines[0] if word != "#"], lines[1:]
        columns = [names.index(axis) for axis in "xyz"] if set("xyz") <= set(names) else columns
    elif lines and len(lines[0]) == 1 and lines[0][0] == str(len(lines) - 1):
        lines = lines[1:]
    return [numbers([line[column] for column in columns if column < len(line)]) for line in lines]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _obj(lines: list[list[str]]) -> tuple[np.ndarray, Polygons]:
    rows: list[list[float]] = []
    polygons = []
    for line in lines:
        if line[0] == "v":
            rows.append(numbers(line[1:4]))
        elif line[0] == "f":
            corners = [_whole(word.split("/")[0]) for word in line[1:]]
            # A negative number counts back from the last vertex so far; none is 0.
            polygons.append([c - 1 if c > 0 else len(rows) + c if c else -1 for c in corners])
    return _table(rows), polygons


def _off(lines: list[list[str]]) -> tuple[np.ndarray, Polygons]:
    if not lines or not lines[0][0].upper().endswith("OFF"):
        raise DatasetError("An OFF file begins with the word OFF; this one does not.")
    rest = ([lines[0][1:]] if len(lines[0]) > 1 else []) + lines[1:]
    counts = [_whole(word) for word in rest[0][:2]] if rest else []
    if len(counts) < 2 or min(counts) < 0 or len(rest) < 1 + sum(counts):
        raise DatasetError("The OFF file ends before all the points and faces that it announces.")
    points = _table([numbers(line) for line in rest[1 : 1 + counts[0]]])
    faces = rest[1 + counts[0] : 1 + sum(counts)]
    polygons = []
    for line in faces:
        count = _whole(line[0])
        if not 0 <= count < len(line):
            raise DatasetError(f"A face announces {count} corners and has {len(line) - 1}; check the file.")
        polygons.append([_whole(word) for word in line[1 : 1 + count]])
    return points, polygons


def _whole(word: str) -> int:
    try:
        found = int(word)
    except ValueError as error:
        raise DatasetError(f"{word[:20]!r} was read where a whole number should stand; check the file.") from error
    if abs(found) > LARGEST:
        raise DatasetError(f"{word[:20]!r} is too large a number of a vertex; check the file.")
    return found
