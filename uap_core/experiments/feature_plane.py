"""Where a pattern moves the penultimate features of photographs: a plane through the clean ones, and who ends where in it.

Under a universal pattern the features of different photographs become alike (Ye et al., FG-UAP, 2023, makes that its loss).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.experiments.feature_passes import Passes

ROUNDED = 4  # decimals of coordinates in a table


@dataclass(frozen=True)
class PlaneRow:
    """One photograph in the plane: at (x, y) as it is, at (to_x, to_y) under the pattern, at (noise_x, noise_y) under random
    signs of the same norm.

    Its clean ``label`` ``becomes`` this one under the pattern. ``alike`` is the mean cosine of its features with those of the
    other photographs as they are, ``alike_after`` and ``alike_noise`` that with all of them under the pattern and under the
    noise. ``share`` of the variance of the clean features lies in the plane; it is the same for all.
    """

    label: str
    becomes: str
    x: float
    y: float
    to_x: float
    to_y: float
    noise_x: float
    noise_y: float
    alike: float
    alike_after: float
    alike_noise: float
    share: float


@dataclass(frozen=True)
class Plane:
    """The plane of the first two principal axes of a cloud: its ``mean`` (C,), ``axes`` (2,C), and the ``share`` of the
    variance in it."""

    mean: Tensor
    axes: Tensor
    share: float

    def coordinates(self, features: Tensor) -> Tensor:
        """Of features (n,C), as (n,2)."""
        return (features - self.mean) @ self.axes.T


def principal_plane(features: Tensor) -> Plane:
    """Fit the plane to features (n,C), n and C at least 2, by the singular values of the centred cloud.

    The largest entry of each axis is positive, so that the picture is the same everywhere. Raises SettingError for a cloud
    that is one point.
    """
    import torch

    from uap_core.errors import SettingError

    mean = features.mean(dim=0)
    _, values, axes = torch.linalg.svd((features - mean).double(), full_matrices=False)
    if len(axes) < 2 or float(values[0]) <= 1e-9 * max(1.0, float(features.abs().max())):
        raise SettingError("The features of these pictures are all the same, so there is no plane to draw them in.")
    first = axes[:2]
    largest = first.abs().argmax(dim=1, keepdim=True)
    signed = first * first.gather(1, largest).sign()
    share = float((values[:2] ** 2).sum() / (values**2).sum())
    return Plane(mean, signed.to(features.dtype), share)


def alike(features: Tensor) -> Tensor:
    """Mean cosine (n,) of each of the features (n,C) with the others; 0 where there is no other."""
    import torch

    unit = torch.nn.functional.normalize(features, dim=1)
    return (unit @ unit.sum(dim=0) - unit.square().sum(dim=1)) / max(1, len(features) - 1)


def spread(places: Sequence[tuple[float, float]]) -> float:
    """Root of the mean squared distance of places in the plane from their mean."""
    count = len(places)
    middle = [sum(place[axis] for place in places) / count for axis in (0, 1)]
    return sqrt(sum((place[axis] - middle[axis]) ** 2 for place in places for axis in (0, 1)) / count)


def plane_rows(passes: Passes, names: Sequence[str]) -> list[PlaneRow]:
    """Put the photographs of ``passes`` into the plane of the clean ones; ``names`` are those of the network's classes.

    Raises SettingError where all features are the same.
    """
    clouds = (passes.clean, passes.under, passes.noise)
    plane = principal_plane(passes.clean.features)
    columns = [values for cloud in clouds for values in plane.coordinates(cloud.features).T]
    columns += [alike(cloud.features) for cloud in clouds]
    labels = ([names[label] for label in cloud.labels.tolist()] for cloud in (passes.clean, passes.under))
    return [
        PlaneRow(before, after, *(round(float(value), ROUNDED) for value in (*values, plane.share)))
        for before, after, values in zip(*labels, zip(*columns, strict=True), strict=True)
    ]


def conclusion(rows: Sequence[PlaneRow]) -> str:
    """How alike the features are in all dimensions, and how far they spread in the plane, in a sentence of plain English."""
    means = [sum(getattr(row, name) for row in rows) / len(rows) for name in ("alike", "alike_after", "alike_noise")]
    places = (("x", "y"), ("to_x", "to_y"), ("noise_x", "noise_y"))
    wide = [spread([(getattr(row, x), getattr(row, y)) for row in rows]) for x, y in places]
    clean, under, noise = (f"{mean:.2f}" for mean in means)
    return (
        f"mean cosine of two images' features: {clean} clean, {under} under the pattern, {noise} under random signs; spread in "
        f"the plane ({rows[0].share:.1%} of the variance): {wide[0]:.3g}, {wide[1]:.3g}, {wide[2]:.3g}"
    )
