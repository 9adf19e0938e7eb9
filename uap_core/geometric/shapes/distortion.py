"""How much a deformation changes a mesh: displacement, lengths of edges, areas of triangles, mean curvature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uap_core.geometric.shapes.laplacian import matrices


@dataclass(frozen=True)
class Distortion:
    """Means over a mesh: ``displacement`` (root mean square) as a share of the radius of the ball with the same area,
    changes of edge lengths and of triangle areas as shares of what they were, of mean curvature as a share of its mean."""

    displacement: float
    edges: float
    areas: float
    curvature: float


def distortion(before: np.ndarray, after: np.ndarray, faces: np.ndarray) -> Distortion:
    """Compare vertices (n,3) ``before`` and ``after`` on the same triangles."""
    masses = matrices(before, faces)[1]
    radius = np.sqrt(masses.sum() / (4 * np.pi))
    far = np.sqrt((masses * ((after - before) ** 2).sum(1)).sum() / masses.sum()) / radius
    lengths, areas, bends = ([part(points, faces) for points in (before, after)] for part in (edge_lengths, _areas, curvature))
    return Distortion(
        float(far),
        float((np.abs(lengths[1] - lengths[0]) / lengths[0]).mean()),
        float(np.abs(areas[1] - areas[0]).sum() / areas[0].sum()),
        float((masses * np.abs(bends[1] - bends[0])).sum() / (masses * bends[0]).sum()),
    )


def edge_lengths(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Lengths (3t,) of the sides of all triangles."""
    return np.concatenate([np.linalg.norm(points[faces[:, i]] - points[faces[:, (i + 1) % 3]], axis=1) for i in range(3)])


def curvature(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Mean curvature (n,), its size: half the length of the Laplacian of the places."""
    stiffness, masses = matrices(points, faces)
    return np.asarray(np.linalg.norm(stiffness @ points, axis=1) / masses / 2)


def _areas(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    corner = points[faces]
    return np.asarray(np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1) / 2)
