"""A visitor's mesh: polygons cut into triangles, what can be mended mended, and what cannot be computed with refused."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from uap_core.errors import DatasetError
from uap_core.geometric.files.formats import Polygons, read_polygons
from uap_core.geometric.files.limits import checked_points

FEWEST = 50  # vertices


@dataclass(frozen=True)
class Mesh:
    """Vertices (n,3), triangles (t,3), and what was done to make them one surface: counts by what they count."""

    points: np.ndarray
    faces: np.ndarray
    unused: int
    flat: int
    pieces: int
    open_edges: int


def open_mesh(path: Path) -> Mesh:
    """Read OBJ, PLY or OFF. Vertices that no triangle has, triangles without area, and all but the largest piece go.

    Raises DatasetError for a file that is no such mesh, or has more than two triangles at an edge.
    """
    points, polygons = read_polygons(path)
    return mend(checked_points(points), polygons)


def mend(points: np.ndarray, polygons: Polygons) -> Mesh:
    """``points`` (n,3) and ``polygons`` as one surface of triangles."""
    if not polygons:
        raise DatasetError("The file has points but no faces: it is a cloud, not a mesh. Open it under Point clouds.")
    faces = np.array([(p[0], a, b) for p in polygons for a, b in itertools.pairwise(p[1:])], dtype=np.int64).reshape(-1, 3)
    if not len(faces):
        raise DatasetError("No face has three corners; choose another file.")
    if faces.min() < 0 or faces.max() >= len(points):
        raise DatasetError("A face names a vertex that is not there; check the file.")
    corner = points[faces]
    areas = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    size = float(np.ptp(points, axis=0).max())
    good = areas > 1e-10 * size**2
    flat = int((~good).sum())
    faces = faces[good]
    if not len(faces):
        raise DatasetError("No triangle has an area; choose another file.")
    sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges, uses = np.unique(sides, axis=0, return_counts=True)
    if uses.max() > 2:
        count = int((uses > 2).sum())
        raise DatasetError(
            f"The mesh is not a surface: {count} edges belong to more than two triangles. Repair it, then open it."
        )
    count, piece = connected_components(sp.coo_matrix((np.ones(len(edges)), edges.T), (len(points),) * 2), directed=False)
    used = np.unique(faces)
    sizes = np.bincount(piece[used], minlength=count)
    largest = int(sizes.argmax())
    faces = faces[piece[faces[:, 0]] == largest]
    kept = np.unique(faces)
    if len(kept) < FEWEST:
        raise DatasetError(f"The mesh has {len(kept)} vertices; at least {FEWEST} are needed for its spectrum.")
    sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    uses = np.unique(sides, axis=0, return_counts=True)[1]
    new = np.searchsorted(kept, faces)
    return Mesh(points[kept], new, len(points) - len(used), flat, int((sizes > 0).sum()), int((uses == 1).sum()))
