"""One closed mesh for each family: the skin around its bones at rest, cut by marching cubes, its triangles evened out."""

from __future__ import annotations

import numpy as np

from uap_core.geometric.shapes.bodies import Bone

CELLS = 26  # of the grid along the longest side
BLEND = 0.05  # radius over which the skins of two bones flow together
ROUNDS, PULL = 30, 0.5


def skin(points: np.ndarray, bones: list[Bone]) -> np.ndarray:
    """Signed distance (n,), about, of ``points`` (n,3) to the skin: below 0 inside."""
    return np.asarray(-BLEND * np.log(np.exp(-bone_distances(points, bones) / BLEND).sum(1)))


def bone_distances(points: np.ndarray, bones: list[Bone]) -> np.ndarray:
    """Distance (n,b) of each point to the skin of each bone by itself."""
    found = []
    for bone in bones:
        start, along = np.array(bone.start), np.array(bone.end) - np.array(bone.start)
        share = np.clip((points - start) @ along / (along @ along), 0, 1)
        radius = bone.radii[0] + share * (bone.radii[1] - bone.radii[0])
        found.append(np.linalg.norm(points - start - share[:, None] * along, axis=1) - radius)
    return np.stack(found, 1)


def template(bones: list[Bone]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n,3) and triangles (t,3) of the skin at rest."""
    from skimage.measure import marching_cubes

    ends = np.array([end for bone in bones for end in (bone.start, bone.end)], dtype=np.float64)
    low, high = ends.min(0) - 0.4, ends.max(0) + 0.4
    step = float((high - low).max()) / CELLS
    axes = [np.arange(a, b + step, step) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    values = skin(grid.reshape(-1, 3), bones).reshape(grid.shape[:3])
    points, faces, _normals, _values = marching_cubes(values, 0.0, spacing=(step,) * 3)
    return evened(points.astype(np.float64) + low, faces.astype(np.int64), bones), faces.astype(np.int64)


def evened(points: np.ndarray, faces: np.ndarray, bones: list[Bone]) -> np.ndarray:
    """Vertices moved along the skin towards the mean of their neighbours, so that no triangle stays a sliver."""
    ends = np.unique(np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1), axis=0)
    a, b = np.concatenate([ends, ends[:, ::-1]]).T
    count = np.bincount(a, minlength=len(points))
    for _round in range(ROUNDS):
        mean = np.stack([np.bincount(a, points[b, k], len(points)) for k in range(3)], 1) / count[:, None]
        points = onto_skin(points + PULL * (mean - points), bones)
    return points


def onto_skin(points: np.ndarray, bones: list[Bone]) -> np.ndarray:
    """``points`` (n,3) moved along the gradient onto the skin, by two Newton steps."""
    step = 1e-4
    for _turn in range(2):
        value = skin(points, bones)
        slope = np.stack([(skin(points + step * np.eye(3)[k], bones) - value) / step for k in range(3)], 1)
        points = points - (value / np.maximum((slope**2).sum(1), 1e-3))[:, None] * slope
    return points
