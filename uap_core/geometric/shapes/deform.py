"""A smooth deformation of a mesh: in the first eigenvectors of its own Laplacian, as far as a wanted spectrum asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from uap_core.geometric.shapes.laplacian import Spectrum, scale_free, scale_free_slopes

WAVES = 20  # eigenvectors above the constant one that displacements are made of, as in Rampini et al. (CVPR 2021)
ROUNDS, USUAL = 14, 6  # at most, and as many as it mostly takes
DAMPING, ENOUGH = 0.3, 0.01  # at first; the gain, as a share of what is left, below which a search ends
STIFF = 0.02  # weight of the displacement against the relative error of the eigenvalues


@dataclass(frozen=True)
class Shape:
    """A mesh with what is needed of it at rest: scale-free eigenvalues (k,), the smooth ``waves`` (n,b), and its spectrum."""

    points: np.ndarray
    faces: np.ndarray
    values: np.ndarray
    waves: np.ndarray
    found: Spectrum


def shape_of(points: np.ndarray, faces: np.ndarray, count: int) -> Shape:
    """A mesh moved to its centre and scaled to the area 4 pi, with ``count`` eigenvalues above 0.

    Raises SettingError where the mesh has no Laplacian.
    """
    points = to_unit(points, faces)
    values, found = scale_free(points, faces, count)
    return Shape(points, faces, values, found.vectors[:, 1 : WAVES + 1], found)


def to_unit(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Vertices moved to their centre of area and scaled to the area 4 pi."""
    corner = points[faces]
    areas = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1) / 2
    centre = (corner.mean(1) * areas[:, None]).sum(0) / areas.sum()
    return np.asarray((points - centre) * np.sqrt(4 * np.pi / areas.sum()))


def relative_slopes(shape: Shape, points: np.ndarray, found: Spectrum, values: np.ndarray) -> np.ndarray:
    """Derivatives (k, 3b) of the logarithms of ``values`` by the coefficients of the waves in x, y and z."""
    by_waves = scale_free_slopes(points, shape.faces, found, shape.waves) / values[:, None, None]
    return by_waves.transpose(0, 2, 1).reshape(len(values), -1)


def moved(shape: Shape, coefficients: np.ndarray) -> np.ndarray:
    """Vertices (n,3) displaced by the waves with these coefficients (3b,)."""
    return np.asarray(shape.points + shape.waves @ coefficients.reshape(-1, 3))


def with_spectrum(shape: Shape, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients (3b,) that bring the eigenvalues near ``wanted`` (k,) at a small displacement, and the eigenvalues then.

    Levenberg's and Marquardt's method on the logarithms; no classifier is asked.
    """
    *_, found = deforming(shape, wanted)
    assert isinstance(found, tuple)
    return found


def deforming(shape: Shape, wanted: np.ndarray) -> Iterator[float | tuple[np.ndarray, np.ndarray]]:
    """``with_spectrum`` a round at a time: about how much of it is done (0 to 1), and last what it gives."""
    coefficients, values, found = np.zeros(3 * shape.waves.shape[1]), shape.values, shape.found
    cost, damping = _cost(values, wanted, coefficients), DAMPING
    slopes = relative_slopes(shape, shape.points, found, values)
    for turn in range(ROUNDS):
        yield min(turn / USUAL, 0.95)
        square = slopes.T @ slopes + (STIFF + damping) * np.eye(len(coefficients))
        trial = coefficients + np.linalg.solve(square, slopes.T @ np.log(wanted / values) - STIFF * coefficients)
        new_values, new_found = scale_free(moved(shape, trial), shape.faces, len(wanted))
        gained = cost - _cost(new_values, wanted, trial)
        if gained <= 0:
            damping *= 5
            continue
        coefficients, values, found, cost, damping = trial, new_values, new_found, cost - gained, damping / 4
        if gained < ENOUGH * cost:
            break
        slopes = relative_slopes(shape, moved(shape, coefficients), found, values)
    yield coefficients, values


def _cost(values: np.ndarray, wanted: np.ndarray, coefficients: np.ndarray) -> float:
    return float((np.log(wanted / values) ** 2).sum() + STIFF * (coefficients**2).sum())
