"""The cotangent Laplacian of a triangle mesh with lumped masses, its first eigenvalues, and their derivatives.

L phi = lambda M phi, with L from the cotangents of the angles across each edge (Pinkall and Polthier, 1993). For a simple
eigenvalue d lambda = phi^T (dL - lambda dM) phi; where eigenvalues coincide, this holds for the basis at hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, eigsh, splu

from uap_core.errors import SettingError

SHIFT = -1e-2  # of the inverse, times the mean eigenvalue spacing: L alone has no inverse
SLIVER = 1e-12  # area, as a share of the mean, below which a triangle has no cotangents


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues (k,) ascending, the first is 0, and eigenvectors (n,k) with phi^T M phi = 1; masses (n,)."""

    values: np.ndarray
    vectors: np.ndarray
    masses: np.ndarray


def spectrum(points: np.ndarray, faces: np.ndarray, count: int) -> Spectrum:
    """The first ``count`` eigenpairs of a mesh with vertices (n,3) and triangles (t,3). Raises SettingError for none."""
    stiffness, masses = matrices(points, faces)
    if count >= len(points):
        raise SettingError(f"A mesh of {len(points)} vertices has too few for {count} eigenvalues; open a finer one.")
    root = 1 / np.sqrt(masses)
    scaled = sp.diags(root) @ stiffness @ sp.diags(root)
    shift = SHIFT * 4 * np.pi / masses.sum()
    start = np.cos(np.arange(len(points)) * 0.7) + 1.1  # the same result each time
    even = ((scaled + scaled.T) / 2).tocsc()
    # SciPy's own factorisation does not know that the matrix is symmetric and positive: it takes twice as long.
    factors = splu(
        even - shift * sp.identity(len(points), format="csc"),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    inverse = LinearOperator(even.shape, factors.solve, dtype=np.float64)
    values, vectors = eigsh(even, k=count, sigma=shift, v0=start, OPinv=inverse)
    order = np.argsort(values)
    values, vectors = values[order], vectors[:, order]
    vectors = vectors * np.where(vectors[np.abs(vectors).argmax(0), np.arange(count)] < 0, -1, 1)
    return Spectrum(np.maximum(values, 0.0), root[:, None] * vectors, masses)


def matrices(points: np.ndarray, faces: np.ndarray) -> tuple[sp.csr_matrix, np.ndarray]:
    """Stiffness L (n,n), and the diagonal (n,) of M: a third of the area around each vertex."""
    cotangents, areas = corners(points, faces)
    if not np.isfinite(cotangents).all() or areas.min() <= SLIVER * areas.mean():
        raise SettingError("Some triangles have no area, so the mesh has no Laplacian; repair it, then open it again.")
    rows, columns, values = [], [], []
    for k in range(3):
        i, j = faces[:, (k + 1) % 3], faces[:, (k + 2) % 3]
        half = cotangents[:, k] / 2
        rows += [i, j, i, j]
        columns += [j, i, i, j]
        values += [-half, -half, half, half]
    shape = (len(points), len(points))
    stiffness = sp.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape)
    return stiffness, np.bincount(faces.ravel(), np.repeat(areas / 3, 3), len(points))


def corners(points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cotangent (t,3) of the angle at each corner of each triangle, and areas (t,)."""
    corner = points[faces]
    double = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        cotangents = [
            ((corner[:, (k + 1) % 3] - corner[:, k]) * (corner[:, (k + 2) % 3] - corner[:, k])).sum(1) / double
            for k in range(3)
        ]
    return np.stack(cotangents, 1), double / 2


def slopes(points: np.ndarray, faces: np.ndarray, found: Spectrum, ways: np.ndarray) -> np.ndarray:
    """Derivatives (k,3,b) of the eigenvalues along displacements ``ways`` (n,b) in x, y and z: phi^T (dL - lambda dM) phi.

    On a triangle phi is linear with gradient g = sum_i phi_i N x e_i / (2 A), where e_i is the edge across from corner i.
    Moving corner i changes the triangle's part E = A |g|^2 by dE = (E / A) dA - 2 A (g . grad of hat_i) (g . dx_i), and its
    area by dA = A (grad of hat_i) . dx_i.
    """
    corner = points[faces]
    edges = corner[:, [2, 0, 1]] - corner[:, [1, 2, 0]]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    double = np.linalg.norm(normal, axis=1)
    hats = np.cross((normal / double[:, None])[:, None], edges) / double[:, None, None]  # (t,3 corners,3)
    area = double / 2
    at_corners = found.vectors[faces]  # (t,3,k)
    gradient = np.einsum("tck,tcx->tkx", at_corners, hats)
    energy = (gradient**2).sum(2)
    mass = (at_corners**2).sum(1) / 3
    outward = area[:, None] * (energy - found.values * mass)  # (t,k): what a larger area alone changes
    result = np.zeros((len(found.values) * 3, ways.shape[1]))
    for c in range(3):
        along = np.einsum("tkx,tx->tk", gradient, hats[:, c])
        part = outward[:, :, None] * hats[:, None, c] - (2 * area[:, None] * along)[:, :, None] * gradient
        result += part.reshape(len(faces), -1).T @ ways[faces[:, c]]
    return result.reshape(len(found.values), 3, -1)


def scale_free(points: np.ndarray, faces: np.ndarray, count: int) -> tuple[np.ndarray, Spectrum]:
    """lambda A / (4 pi) for the first ``count`` eigenvalues above 0, A being the area, and the spectrum they come from.

    A sphere of any size has 2, 2, 2, 6, ...
    """
    found = spectrum(points, faces, count + 1)
    return found.values[1:] * found.masses.sum() / (4 * np.pi), found


def scale_free_slopes(points: np.ndarray, faces: np.ndarray, found: Spectrum, ways: np.ndarray) -> np.ndarray:
    """Derivatives (k,3,b) of what ``scale_free`` gave, along displacements ``ways`` (n,b) in x, y and z."""
    area = found.masses.sum()
    by_lambda = slopes(points, faces, found, ways)[1:]
    return np.asarray((area * by_lambda + found.values[1:, None, None] * area_slopes(points, faces, ways)) / (4 * np.pi))


def area_slopes(points: np.ndarray, faces: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Derivative (3,b) of the area of a mesh along displacements ``ways`` (n,b) in x, y and z."""
    corner = points[faces]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    result = np.zeros((3, ways.shape[1]))
    for c in range(3):
        part = np.cross(normal, corner[:, (c + 2) % 3] - corner[:, (c + 1) % 3]) / 2
        result += part.T @ ways[faces[:, c]]
    return result
