"""Do the boundaries around different images share directions? Their normals say so (CVPR 2017, section 5 and Fig. 9).

The matrix N has the unit normals r(x)/||r(x)|| of n images in its rows, r(x) the l2 DeepFool step over the nearest boundary.
If the boundaries had nothing in common, its singular values would be those of n random unit vectors. The faster they fall,
the more of the normals is in the span of the first few singular vectors, and the more often a random vector of that span
fools an image that was not among the n.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.deepfool import cross_boundary
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError
from uap_core.experiments.random_directions import UNIT, anywhere, fooled_by, in_span
from uap_core.metrics import Rate
from uap_core.models.classifier import Classifier
from uap_core.norms import of_levels

NORMALS, RANDOM, SPAN, FULL = "normals", "random", "span", "full"
NAMES = {
    NORMALS: "normals of the boundary",
    RANDOM: "random unit vectors",
    SPAN: "span of the first singular vectors",
    FULL: "full space",
}
DIMENSIONS = (1, 2, 5, 10, 25, 50, 100, 250, 500)
DEEPFOOL_BATCH = 8
SMALL_SIDE = 64


@dataclass(frozen=True)
class SingularRow:
    """The singular value number ``index``, from 1, of a matrix of unit vectors; ``kind`` says which vectors."""

    index: int
    value: float
    kind: str


@dataclass(frozen=True)
class SubspaceRow:
    """Random vectors of l2 length ``norm`` (units of [0,1]) from a ``space`` of so many dimensions, tried on new images."""

    space: str
    dimension: int
    norm: float
    fooling_rate: Rate


def lengths(side: int) -> tuple[float, ...]:
    """The l2 lengths at which subspaces are compared, for pictures of ``side`` pixels: the paper's 2000/255, the library's too.

    On 64 pixels that is 3.5 times the change of each value that it is on 224, and everything but pure noise fools most images:
    so half of it as well.
    """
    return (of_levels(1000), of_levels(2000)) if side <= SMALL_SIDE else (of_levels(2000),)


def unit_normals(classifier: Classifier, images: ImageSet) -> Iterator[Tensor]:
    """Normals (n,3,H,W) of unit l2 length, batch by batch; images where DeepFool finds no boundary are left out.

    Raises DatasetError when no image has one.
    """
    count = 0
    for batch in images.batches(DEEPFOOL_BATCH):
        found = cross_boundary(classifier, batch)
        count += int(found.crossed.sum())
        yield UNIT.fill(found.steps[found.crossed])
    if not count:
        raise DatasetError("DeepFool found no boundary around any of these images, so there are no normals to compare.")


def singular_vectors(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Singular values (n,), largest first, and right singular vectors (d,3,H,W), d the rank, of ``vectors`` (n,3,H,W).

    By way of the n x n Gram matrix N N^T = U S^2 U^T, in 64 bits: n is hundreds where the space has 150 528 dimensions.
    """
    flat = vectors.flatten(1).double()
    squares, left = torch.linalg.eigh(flat @ flat.T)
    values = squares.flip(0).clamp_min(0).sqrt()
    rank = int((values > 1e-6 * values[0]).sum()) if len(values) else 0
    right = (left.flip(1)[:, :rank] / values[:rank]).T @ flat
    return values, right.float().view(rank, *vectors.shape[1:])


def spectrum(normals: Tensor, generator: torch.Generator) -> list[SingularRow]:
    """Singular values of ``normals`` (n,3,H,W), and of as many random unit vectors of the same dimension."""
    rows = []
    for kind, vectors in ((NORMALS, normals), (RANDOM, anywhere(tuple(normals.shape[1:]), generator)(len(normals)))):
        values, _ = singular_vectors(vectors)
        rows += [SingularRow(index, round(float(value), 6), kind) for index, value in enumerate(values, start=1)]
    return rows


def subspace_rates(
    classifier: Classifier,
    normals: Tensor,
    images: ImageSet,
    clean: Tensor,
    norms: Sequence[float],
    generator: torch.Generator,
    dimensions: Sequence[int] = DIMENSIONS,
) -> Iterator[SubspaceRow]:
    """For each of ``norms`` a row of the full space, then one for each of ``dimensions`` that the normals (n,3,H,W) span.

    ``images`` must not be among those that the normals are of; ``clean`` (N,) are their labels.
    """
    _, basis = singular_vectors(normals)
    shape = tuple(normals.shape[1:])
    for norm in norms:
        rate = fooled_by(classifier, images, clean, anywhere(shape, generator), norm)
        yield SubspaceRow(FULL, normals[0].numel(), norm, rate)
        for dimension in sorted({min(dimension, len(basis)) for dimension in dimensions}):
            rate = fooled_by(classifier, images, clean, in_span(basis[:dimension], generator), norm)
            yield SubspaceRow(SPAN, dimension, norm, rate)


def steepness(rows: Sequence[SingularRow]) -> dict[str, float]:
    """For each kind the ratio of the first to the last singular value: how fast they decay."""
    values: dict[str, list[float]] = {}
    for row in rows:
        values.setdefault(row.kind, []).append(row.value)
    return {kind: found[0] / max(found[-1], 1e-12) for kind, found in values.items()}
