"""What may be opened, and how a file becomes lines of words."""

from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np

from uap_core.errors import DatasetError

MOST_VERTICES, MOST_FACES, MOST_EDGES = 20_000, 60_000, 200_000
MOST_BYTES = 8_000_000
FURTHEST, NEAREST = 1e9, 1e-30  # beyond, and below, squares and products lose their digits
PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")  # gzip, zip, bzip2, xz, zstandard
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def content(path: Path) -> bytes:
    """The bytes of a file. Raises DatasetError when it is empty or too large."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DatasetError(f"The file has {size / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f} MB can be opened here.")
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError("The file cannot be read; choose it again.") from error
    if not data.strip():
        raise DatasetError("The file is empty; choose another one.")
    if data.startswith(PACKED):
        raise DatasetError("This file is compressed; unpack it, then open what was in it.")
    return data


def text_of(data: bytes) -> str:
    """Bytes as text: UTF-8, or UTF-16 where its mark says so. Raises DatasetError for what is none."""
    if data.startswith(UTF16):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data[:4096]:
        raise DatasetError("This is a binary file, not text; save it as text (ASCII), or as PLY.")
    return data.decode("utf-8-sig", errors="replace")


def lines_of(text: str) -> list[list[str]]:
    """Words of each line that has any; what follows # is left out, and a line that ends in a backslash goes on in the next."""
    words = (line.partition("#")[0].split() for line in text.replace("\\\n", " ").replace("\\\r\n", " ").splitlines())
    return [line for line in words if line]


def cells_of(text: str) -> list[list[str]]:
    """``lines_of`` for a table, in which semicolons or commas may stand between numbers, or commas for decimal points."""
    lines = lines_of(text.replace(";", " ").replace(", ", " ").replace("\t", " "))
    if lines and sum("," in word for word in lines[-1]) >= 3:
        return [[word.replace(",", ".") for word in line] for line in lines]
    return lines_of(text.replace(";", " ").replace(",", " "))


def numbers(words: list[str]) -> list[float]:
    """Words as numbers. Raises DatasetError for a word that is none."""
    try:
        return [float(word) for word in words]
    except ValueError as error:
        raise DatasetError(f"{' '.join(words)[:40]!r} was read where numbers should stand; check the file.") from error


def checked_points(points: np.ndarray) -> np.ndarray:
    """Places (n,3) that can be computed with. Raises DatasetError for too many, none, or ones that are not finite."""
    if points.ndim != 2 or points.shape[1] < 3 or not len(points):
        raise DatasetError("No points with three coordinates were found; check that the file is a mesh or a cloud.")
    if len(points) > MOST_VERTICES:
        raise DatasetError(f"The file has {len(points)} points; at most {MOST_VERTICES} can be opened. Simplify it first.")
    points = np.asarray(points[:, :3], dtype=np.float64)
    if not np.isfinite(points).all():
        raise DatasetError("Some coordinates are not numbers (NaN or infinite); repair the file, then open it again.")
    if np.abs(points).max() > FURTHEST:
        raise DatasetError(f"Some coordinates are beyond {FURTHEST:.0e}; scale the shape down, then open it again.")
    size = float(np.ptp(points, axis=0).max())
    if size <= 1e-9 * float(np.abs(points).max()):
        raise DatasetError("All points are at one place; choose another file.")
    if size < NEAREST:
        raise DatasetError(f"The shape is smaller than {NEAREST:.0e}; scale it up, then open it again.")
    return points
