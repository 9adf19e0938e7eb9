"""A visitor's cloud: the points of a mesh or of a table, brought to the size and number that the network takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from uap_core.errors import DatasetError
from uap_core.geometric.files.formats import read_polygons
from uap_core.geometric.files.limits import checked_points

FEWEST = 16


def open_cloud(path: Path, most: int, seed: int) -> tuple[np.ndarray, int]:
    """At most ``most`` points (m,3) of radius 1 about their mean, drawn at random from more, and how many there were.

    Raises DatasetError for a file that holds no cloud.
    """
    points = checked_points(read_polygons(path)[0])
    if len(points) < FEWEST:
        raise DatasetError(f"The cloud has {len(points)} points; at least {FEWEST} are needed.")
    chosen = points
    if len(points) > most:
        chosen = points[np.sort(np.random.default_rng(seed).choice(len(points), most, replace=False))]
    centred = chosen - chosen.mean(0)
    return centred / np.linalg.norm(centred, axis=1).max(), len(points)
