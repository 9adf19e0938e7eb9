"""What is measured of attacks on clouds: universal changes on held-out clouds, and changes made for each cloud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.geometric.clouds.outliers import without_outliers
from uap_core.geometric.clouds.pointnet import PointNet
from uap_core.geometric.clouds.single import KINDS, attack_clouds
from uap_core.geometric.clouds.universal import FIELD, applied, noise, start
from uap_core.metrics import Rate, fooling_rate

RANDOM_CHANGES = 5


@dataclass(frozen=True)
class UniversalRow:
    """Held-out clouds fooled by a universal change of a ``kind`` and ``size``: a field no longer than that, or so many added
    points. ``random`` changes are of the same kind and size, ``noise`` moves each point by that much in a direction of its own
    (None for added points); ``cleaned`` are fooled after removal of outliers, against the answer for the clean cloud."""

    kind: str
    size: float
    fooled: Rate
    random: Rate
    noise: Rate | None
    cleaned: Rate


@dataclass(frozen=True)
class SingleRow:
    """Clouds fooled by a change made for each, and the median of its ``distance`` by the ``measure``, not squared.

    ``cleaned`` is as in ``UniversalRow``.
    """

    kind: str
    measure: str
    added: int
    fooled: Rate
    distance: float
    cleaned: Rate


def universal_row(net: PointNet, clouds: Tensor, kind: str, universal: Tensor, size: float, seed: int) -> UniversalRow:
    """Measure one universal change on ``clouds`` (N,m,3). The same seed gives the same result."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        clean = net(clouds).argmax(1)
        changed = applied(kind, universal, clouds, size)
        drawn = [
            fooling_rate(clean, net(applied(kind, start(kind, size, generator), clouds, size)).argmax(1))
            for _ in range(RANDOM_CHANGES)
        ]
        shaken = fooling_rate(clean, net(noise(clouds, size, generator)).argmax(1)) if kind == FIELD else None
        random = Rate(sum(rate.count for rate in drawn), sum(rate.total for rate in drawn))
        return UniversalRow(
            kind, size, fooling_rate(clean, net(changed).argmax(1)), random, shaken, cleaned(net, changed, clean)
        )


def cleaned(net: PointNet, changed: Tensor, clean: Tensor) -> Rate:
    """Clouds (N,m,3) whose answer differs from ``clean`` (N,) once their outliers are removed."""
    after = torch.stack([net(without_outliers(cloud)[None]).argmax() for cloud in changed])
    return fooling_rate(clean, after)


def single_rows(net: PointNet, clouds: Tensor, added: int, seed: int) -> Iterator[SingleRow]:
    """Every kind of change by every measure that it has, made for each of ``clouds``."""
    with torch.no_grad():
        clean = net(clouds).argmax(1)
    for kind, measures in KINDS.items():
        for measure in measures:
            found = attack_clouds(net, clouds, kind, measure, added, seed)
            hit = found.distance[found.fooled].sqrt()
            far = float(hit.median()) if len(hit) else float("nan")
            rate = Rate(int(found.fooled.sum()), len(clouds))
            with torch.no_grad():
                yield SingleRow(kind, measure, found.added, rate, round(far, 5), cleaned(net, found.clouds, clean))
