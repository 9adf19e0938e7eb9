"""One change of the spectrum for all shapes (Rampini et al., Universal Spectral Adversarial Attacks for Deformable Shapes, CVPR
2021): eigenvalues lambda become (1 + rho) lambda.

The paper optimises rho together with a deformation of every shape. Here the deformations are eliminated: to first order, the
cheapest way for a shape to show rho costs rho^T R rho, with R from the derivatives of its eigenvalues, so that rho is found
among spectra that shapes can have.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uap_core.geometric.shapes.classifier import SpectralNet
from uap_core.geometric.shapes.deform import STIFF, Shape, relative_slopes

STEPS, RATE, SURE = 1500, 0.003, 5.0  # SURE: a margin of this below 0 counts no further


def cost_of(shape: Shape) -> np.ndarray:
    """R (k,k): what a change d of the logarithms costs this shape to first order, d^T R d, in squared error and displacement.

    The change that it then shows is d - R d.
    """
    slopes = relative_slopes(shape, shape.points, shape.found, shape.values)
    return np.asarray(STIFF * np.linalg.inv(slopes @ slopes.T + STIFF * np.eye(len(shape.values))))


def universal_change(net: SpectralNet, shapes: Sequence[Shape], size: float, weight: float) -> np.ndarray:
    """rho (k,), at most ``size`` in each eigenvalue, that fools ``net`` on ``shapes`` as far as they can show it.

    ``weight`` is that of the mean cost. Deterministic.
    """
    values = np.stack([shape.values for shape in shapes])
    labels = net.logits(values).argmax(1)
    costs = np.stack([cost_of(shape) for shape in shapes])
    shown, cost = np.eye(values.shape[1]) - costs, costs.mean(0)
    change, first, second = np.zeros(values.shape[1]), np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for step in range(1, STEPS + 1):
        gradient = np.einsum("nk,nkj->j", _slope(net, values * np.exp(shown @ change), labels), shown) / len(values)
        gradient += 2 * weight * cost @ change
        first, second = 0.9 * first + 0.1 * gradient, 0.99 * second + 0.01 * gradient**2
        rate = RATE * (1 - step / STEPS)
        change = change - rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-9)
        change = np.clip(change, np.log(1 - size), np.log(1 + size))
    return np.asarray(np.exp(change) - 1)


def _slope(net: SpectralNet, values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Derivative (n,k) of each margin by the logarithms of the eigenvalues; margins below -SURE do not count."""
    logits, by_logs = net.logits(values), net.slopes(values)
    rows = np.arange(len(labels))
    others = logits.copy()
    others[rows, labels] = -np.inf
    best = others.argmax(1)
    counts = logits[rows, labels] - others[rows, best] > -SURE
    return np.asarray((by_logs[rows, labels] - by_logs[rows, best]) * counts[:, None])
