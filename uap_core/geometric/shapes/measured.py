"""What is measured of the universal spectral change: on seen and unseen bodies and poses, beside random and own changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from uap_core.geometric.shapes.classifier import EIGENVALUES, SpectralNet
from uap_core.geometric.shapes.deform import Shape, moved, shape_of, with_spectrum
from uap_core.geometric.shapes.distortion import distortion
from uap_core.geometric.shapes.own import own_change
from uap_core.geometric.shapes.posing import Body
from uap_core.geometric.shapes.stored import Mesh, mesh_of
from uap_core.metrics import Rate

SEEN, NEW_POSES, NEW_BODIES = "seen", "new poses", "new bodies"
UNIVERSAL, RANDOM, OWN = "universal", "random", "own"
SCALES = (0.25, 0.5, 0.75, 1.0, 1.25)


@dataclass(frozen=True)
class ShapeRow:
    """Shapes of a set fooled by a ``change`` of the spectrum, times ``scale``; ``missed`` is how far eigenvalues stayed from
    what was asked, the mean of the relative error. The rest are means as ``Distortion`` has them."""

    on: str
    change: str
    scale: float
    fooled: Rate
    missed: float
    displacement: float
    edges: float
    areas: float
    curvature: float


def shapes_of(templates: dict[str, Mesh], given: Sequence[tuple[int, Body]]) -> list[Shape]:
    """Each body as a mesh with its spectrum."""
    return [shape_of(*mesh_of(templates, kind, body), EIGENVALUES) for kind, body in given]


def scaled(rho: np.ndarray, scale: float) -> np.ndarray:
    """rho with its logarithms times ``scale``: 0 changes nothing, 1 is rho itself."""
    return np.asarray((1 + rho) ** scale - 1)


def random_like(rho: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A random change whose logarithms have the length of those of ``rho``."""
    direction = draw.standard_normal(len(rho))
    return np.asarray(np.exp(direction * np.linalg.norm(np.log1p(rho)) / np.linalg.norm(direction)) - 1)


def shape_row(
    net: SpectralNet, shapes: Sequence[Shape], on: str, change: str, rho: np.ndarray, scale: float, seed: int
) -> ShapeRow:
    """Deform each of ``shapes`` to show the change, without asking ``net`` but for its own changes, and ask it afterwards."""
    draw = np.random.default_rng(seed)
    fooled, missed, told = 0, [], []
    for shape in shapes:
        if change == OWN:
            coefficients, values = own_change(net, shape)
            wanted = values
        else:
            asked = scaled(rho if change == UNIVERSAL else random_like(rho, draw), scale)
            wanted = shape.values * (1 + asked)
            coefficients, values = with_spectrum(shape, wanted)
        fooled += int(net.logits(values).argmax() != net.logits(shape.values).argmax())
        missed.append(float(np.abs(values / wanted - 1).mean()))
        told.append(distortion(shape.points, moved(shape, coefficients), shape.faces))
    means = [float(np.mean([getattr(one, name) for one in told])) for name in ("displacement", "edges", "areas", "curvature")]
    return ShapeRow(on, change, scale, Rate(fooled, len(shapes)), float(np.mean(missed)), *means)


def shape_rows(net: SpectralNet, sets: dict[str, list[Shape]], rho: np.ndarray, seed: int) -> Iterator[ShapeRow]:
    """All sets under the universal change; new bodies also under parts of it, random changes, and changes of their own."""
    for on, shapes in sets.items():
        yield shape_row(net, shapes, on, UNIVERSAL, rho, 1.0, seed)
    new = sets[NEW_BODIES]
    yield shape_row(net, new, NEW_BODIES, OWN, rho, 1.0, seed)
    for scale in SCALES:
        if scale != 1.0:
            yield shape_row(net, new, NEW_BODIES, UNIVERSAL, rho, scale, seed)
        yield shape_row(net, new, NEW_BODIES, RANDOM, rho, scale, seed)
