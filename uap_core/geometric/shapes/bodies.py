"""Skeletons of eight families of four-legged animals: bones with a thickness, and the joints about which they turn."""

from __future__ import annotations

import itertools
from dataclasses import dataclass


@dataclass(frozen=True)
class Bone:
    """A tapering bone from ``start`` to ``end`` (3,), thick ``radii`` at either; it hangs on the bone number ``parent``."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    radii: tuple[float, float]
    parent: int = -1
    swing: float = 0.5  # radians that it turns about its start, at most


def _hang(bones: list[Bone], points: list[tuple[float, float, float]], radii: list[float], swing: float) -> None:
    """Add bones through ``points`` in a row, the first of them hanging on the trunk."""
    for i, (a, b) in enumerate(itertools.pairwise(points)):
        bones.append(Bone(a, b, (radii[i], radii[i + 1]), 0 if i == 0 else len(bones) - 1, swing))


def _animal(neck: float, legs: float, tail: float, length: float, stout: float) -> list[Bone]:
    """A trunk with a neck and head, four legs of two bones each, and a tail; lengths in units of a horse's trunk."""
    back, front = -length / 2, length / 2
    bones = [Bone((0, back, 0), (0, front, 0), (0.21 * stout, 0.23 * stout))]
    rise, reach = 0.08 + neck, front + 0.12 + 0.35 * neck
    spine = [(0.0, front, 0.08), (0.0, reach, rise), (0.0, reach + 0.32, rise - 0.06)]
    _hang(bones, spine, [0.15 * stout, 0.115, 0.1], 0.5)
    foot = -0.1 * stout - legs
    for x in (-0.15 * stout, 0.15 * stout):
        for y in (back + 0.06, front - 0.06):
            _hang(bones, [(x, y, -0.08 * stout), (1.4 * x, y, foot / 2 - 0.05), (1.4 * x, y, foot)], [0.12, 0.1, 0.09], 0.5)
    mid, end = back - 0.08 - tail / 2, back - 0.08 - tail
    _hang(bones, [(0, back - 0.02, 0.05), (0, mid, 0.08), (0, end, 0.1)], [0.11, 0.09, 0.08], 0.6)
    return bones


FAMILIES: dict[str, list[Bone]] = {
    "horse": _animal(neck=0.45, legs=0.66, tail=0.4, length=1.0, stout=1.0),
    "giraffe": _animal(neck=0.66, legs=0.74, tail=0.34, length=0.95, stout=0.98),
    "dog": _animal(neck=0.33, legs=0.58, tail=0.45, length=0.95, stout=0.93),
    "hippo": _animal(neck=0.28, legs=0.46, tail=0.3, length=1.02, stout=1.15),
    "lion": _animal(neck=0.33, legs=0.58, tail=0.62, length=1.0, stout=1.02),
    "lizard": _animal(neck=0.28, legs=0.44, tail=0.7, length=1.06, stout=0.92),
    "sheep": _animal(neck=0.38, legs=0.5, tail=0.3, length=0.88, stout=1.12),
    "cat": _animal(neck=0.27, legs=0.5, tail=0.66, length=0.88, stout=0.86),
}
CLASSES = tuple(FAMILIES)
