"""A visitor's mesh: polygons cut into triangles, what can be mended mended, and what cannot be computed with refused."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from uap_core.errors import DatasetError
from uap_core.geometric.files.formats import read_polygons
from uap_core.geometric.files.limits import checked_points
from uap_core.geometric.files.ply import Polygons

FEWEST = 50  # vertices
FLAT = 1e-10  # area of a triangle, as a share of the square of its longest side, below which it has none


@dataclass(frozen=True)
class Mesh:
    """Vertices (n,3), triangles (t,3), and what was done to make them one surface: counts by what they count.

    ``joined`` vertices lay where others do, ``repeated`` triangles were there already, and at ``pinched`` vertices parts of the
    surface hang together by a point.
    """

    points: np.ndarray
    faces: np.ndarray
    unused: int
    flat: int
    pieces: int
    open_edges: int
    joined: int = 0
    repeated: int = 0
    pinched: int = 0


def open_mesh(path: Path) -> Mesh:
    """Read OBJ, PLY or OFF. Vertices at one place become one, where that leaves a surface; vertices that no triangle has,
    triangles without area or there twice, and all but the largest piece go.

    Raises DatasetError for a file that is no such mesh, or has more than two triangles at an edge.
    """
    points, polygons = read_polygons(path)
    return mend(checked_points(points), polygons)


def mend(points: np.ndarray, polygons: Polygons) -> Mesh:
    """``points`` (n,3) and ``polygons`` as one surface of triangles."""
    faces, flat = _triangles(points, polygons)
    joined, used = 0, len(np.unique(faces))
    merged = _merged(points, faces)
    if len(np.unique(merged)) < used and _crowded(merged) <= _crowded(faces):  # as of exporters that share no corner
        joined, faces = used - len(np.unique(merged)), merged
    unused = len(points) - used
    once = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)[1]
    repeated, faces = len(faces) - len(once), faces[np.sort(once)]
    if count := _crowded(faces):
        raise DatasetError(
            f"The mesh is not a surface: {count} edges belong to more than two triangles. Repair it, then open it."
        )
    edges = _sides(faces)
    count, piece = connected_components(sp.coo_matrix((np.ones(len(edges)), edges.T), (len(points),) * 2), directed=False)
    sizes = np.bincount(piece[np.unique(faces)], minlength=count)
    faces = faces[piece[faces[:, 0]] == int(sizes.argmax())]
    kept = np.unique(faces)
    if len(kept) < FEWEST:
        raise DatasetError(f"The mesh has {len(kept)} connected vertices; at least {FEWEST} are needed for its spectrum.")
    uses = np.unique(_sides(faces), axis=0, return_counts=True)[1]
    new, open_edges = np.searchsorted(kept, faces), int((uses == 1).sum())
    return Mesh(points[kept], new, unused, flat, int((sizes > 0).sum()), open_edges, joined, repeated, _pinched(new))


def _triangles(points: np.ndarray, polygons: Polygons) -> tuple[np.ndarray, int]:
    """Polygons cut into triangles (t,3) that have an area, and how many had none."""
    if not polygons:
        raise DatasetError("The file has points but no faces: it is a cloud, not a mesh. Open it under Point clouds.")
    faces = np.array([(p[0], a, b) for p in polygons for a, b in itertools.pairwise(p[1:])], dtype=np.int64).reshape(-1, 3)
    if not len(faces):
        raise DatasetError("No face has three corners; choose another file.")
    if faces.min() < 0 or faces.max() >= len(points):
        raise DatasetError("A face names a vertex that is not there; check the file.")
    corner = points[faces]
    sides = corner - np.roll(corner, 1, axis=1)
    longest = (sides**2).sum(2).max(1)
    good = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) > FLAT * longest
    if not good.any():
        raise DatasetError("No triangle has an area; choose another file.")
    return faces[good], int((~good).sum())


def _merged(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """``faces`` with the first of all vertices at exactly one place in the place of each."""
    _places, first, which = np.unique(points, axis=0, return_index=True, return_inverse=True)
    return np.asarray(first[which.reshape(-1)][faces])


def _sides(faces: np.ndarray) -> np.ndarray:
    """The three sides of each triangle (3t,2), the smaller vertex first."""
    return np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)


def _crowded(faces: np.ndarray) -> int:
    """How many edges belong to more than two different triangles."""
    once = np.unique(np.sort(faces, axis=1), axis=0)
    return int((np.unique(_sides(once), axis=0, return_counts=True)[1] > 2).sum())


def _pinched(faces: np.ndarray) -> int:
    """At how many vertices triangles meet that no chain of shared sides at that vertex joins."""
    count = len(faces)
    side = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    corner = np.arange(3 * count).reshape(3, count)  # corner k of triangle t is k * count + t
    ends = np.stack([np.concatenate([corner[0], corner[1], corner[2]]), np.concatenate([corner[1], corner[2], corner[0]])], 1)
    turned = side[:, 0] > side[:, 1]
    side[turned], ends[turned] = side[turned][:, ::-1], ends[turned][:, ::-1]
    order = np.lexsort((side[:, 1], side[:, 0]))
    side, ends = side[order], ends[order]
    same = np.flatnonzero((side[1:] == side[:-1]).all(1))
    links = np.concatenate([np.stack([ends[same, k], ends[same + 1, k]], 1) for k in (0, 1)])
    graph = sp.coo_matrix((np.ones(len(links)), links.T), (3 * count,) * 2)
    fans, which = connected_components(graph, directed=False)
    owner = np.zeros(fans, dtype=np.int64)
    owner[which] = faces.T.reshape(-1)
    return int((np.bincount(owner) > 1).sum())
