"""The smallest smooth deformation that fools for one shape by itself: DeepFool (Moosavi-Dezfooli et al., CVPR 2016) on the
coefficients of its waves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from uap_core.geometric.shapes.classifier import SpectralNet
from uap_core.geometric.shapes.deform import Shape, moved, relative_slopes
from uap_core.geometric.shapes.laplacian import scale_free

ROUNDS, USUAL = 10, 4  # at most, and as many as it mostly takes
BEYOND, LONGEST = 0.1, 0.4  # LONGEST: a step, as derivatives hold only nearby


def own_change(net: SpectralNet, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients (3b,) found, and the eigenvalues (k,) then. It may not fool."""
    *_, found = changing(net, shape)
    assert isinstance(found, tuple)
    return found


def changing(net: SpectralNet, shape: Shape) -> Iterator[float | tuple[np.ndarray, np.ndarray]]:
    """``own_change`` a round at a time: about how much of it is done (0 to 1), and last what it gives."""
    coefficients, values, found = np.zeros(3 * shape.waves.shape[1]), shape.values, shape.found
    label = int(net.logits(values).argmax())
    for turn in range(ROUNDS):
        yield min(turn / USUAL, 0.95)
        logits = net.logits(values)
        if int(logits.argmax()) != label:
            break
        by_waves = net.slopes(values) @ relative_slopes(shape, moved(shape, coefficients), found, values)
        rivals = [k for k in range(len(logits)) if k != label]
        gaps = np.array([logits[label] - logits[k] + BEYOND for k in rivals])
        normals = np.stack([by_waves[k] - by_waves[label] for k in rivals])
        lengths = np.linalg.norm(normals, axis=1) + 1e-9
        nearest = int((gaps / lengths).argmin())
        step = gaps[nearest] / lengths[nearest] ** 2 * normals[nearest]
        coefficients = coefficients + step * min(1.0, LONGEST / float(np.linalg.norm(step)))
        values, found = scale_free(moved(shape, coefficients), shape.faces, len(values))
    yield coefficients, values
