"""What may be opened, and how a file becomes lines of words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from uap_core.errors import DatasetError

MOST_VERTICES, MOST_FACES, MOST_EDGES = 20_000, 60_000, 200_000
MOST_BYTES = 8_000_000
FURTHEST = 1e9  # beyond, squares and products lose all digits


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
    return data


def text_of(data: bytes) -> str:
    """Bytes as text. Raises DatasetError for what is none."""
    if b"\0" in data[:4096]:
        raise DatasetError("This is a binary file, not text; save it as text (ASCII), or as binary little-endian PLY.")
    return data.decode("utf-8", errors="replace")


def lines_of(text: str) -> list[list[str]]:
    """Words of each line that has any; what follows # is left out."""
    words = (line.partition("#")[0].replace(",", " ").replace(";", " ").split() for line in text.splitlines())
    return [line for line in words if line]


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
    if np.ptp(points, axis=0).max() <= 1e-9 * max(1.0, float(np.abs(points).max())):
        raise DatasetError("All points are at one place; choose another file.")
    return points
