"""Attacks on one cloud: its points moved, or points added (Xiang, Qi, Li: Generating 3D Adversarial Point Clouds, CVPR 2019).

Each minimises a distance to the clean cloud plus a weight times the margin by which the first class still leads; the weight
grows by a tenth a step while the cloud is not fooled and shrinks by as much while it is: no search over weights is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.errors import SettingError
from uap_core.geometric.clouds.distances import CHAMFER, HAUSDORFF, L2, distance
from uap_core.geometric.clouds.pointnet import PointNet

SHIFTED, ADDED, CLUSTERS = "shifted", "added", "clusters"
KINDS = {SHIFTED: (L2, CHAMFER, HAUSDORFF), ADDED: (CHAMFER, HAUSDORFF), CLUSTERS: (CHAMFER, HAUSDORFF)}
STEPS, RATE, SURE = 150, 0.01, 0.05
CLUSTER_COUNT, CLUSTER_SPREAD = 3, 0.05
WEIGHTS = (1e-3, 1e3)


@dataclass(frozen=True)
class Found:
    """The smallest change found for each of N clouds: the points (N,m+a,3), added ones last; whether it fools (N,).

    ``distance`` (N,) is squared, and infinite where it does not fool.
    """

    clouds: Tensor
    fooled: Tensor
    distance: Tensor
    added: int


def attack_clouds(net: PointNet, clouds: Tensor, kind: str, measure: str, added: int, seed: int) -> Found:
    """Fool ``net`` on each of ``clouds`` (N,m,3) by a change of a ``kind``, small by ``measure``; ``added`` points at most.

    The same seed gives the same result. Raises SettingError for a measure that the kind does not have.
    """
    if measure not in KINDS[kind]:
        raise SettingError(f"Points {kind} are measured by {' or '.join(KINDS[kind])}, not {measure}.")
    with torch.no_grad():
        labels = net(clouds).argmax(1)
    generator = torch.Generator().manual_seed(seed)
    start, change, points_of = _start(net, clouds, kind, added, generator)
    optimiser = torch.optim.Adam([change], RATE)
    weight = torch.ones(len(clouds))
    best, kept, fooled = torch.full((len(clouds),), torch.inf), start.clone(), torch.zeros(len(clouds), dtype=torch.bool)
    for _step in range(STEPS):
        points = points_of(change)
        full = points if kind == SHIFTED else torch.cat([clouds, points], 1)
        logits = net(full)
        own = logits.gather(1, labels[:, None])[:, 0]
        lead = own - logits.scatter(1, labels[:, None], -torch.inf).amax(1)
        far = distance(measure, points, clouds) + _apart(kind, points)
        with torch.no_grad():
            hit = lead < 0
            better = hit & (far < best)
            best, fooled = torch.where(better, far, best), fooled | hit
            kept = torch.where(better[:, None, None], points, kept)
            weight = torch.where(hit, weight / 1.1, weight * 1.1).clamp(*WEIGHTS)
        loss = (far + weight * (lead + SURE).clamp_min(0.0)).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    kept, far = kept.detach(), distance(measure, kept.detach(), clouds)  # alone, without how far a cluster's points lie apart
    smallest = torch.where(fooled, far, torch.inf)
    whole = kept if kind == SHIFTED else torch.cat([clouds, kept], 1)
    return Found(whole, fooled, smallest, 0 if kind == SHIFTED else kept.shape[1])


def _start(net: PointNet, clouds: Tensor, kind: str, added: int, generator: torch.Generator):  # type: ignore[no-untyped-def]
    """Where the points are at first, what is optimised, and how the points follow from it."""
    if kind == SHIFTED:
        change = (1e-3 * torch.randn(clouds.shape, generator=generator)).requires_grad_()
        return clouds, change, lambda c: clouds + c
    if not 1 <= added <= clouds.shape[1]:
        raise SettingError(f"Points to add must be 1 to {clouds.shape[1]}, not {added}.")
    chosen = torch.stack([_first(net, cloud, added, generator) for cloud in clouds])
    if kind == CLUSTERS:
        size = max(1, added // CLUSTER_COUNT)
        chosen = chosen[:, :CLUSTER_COUNT].repeat_interleave(size, 1)
        chosen = chosen + CLUSTER_SPREAD * torch.randn(chosen.shape, generator=generator)
    change = (1e-3 * torch.randn(chosen.shape, generator=generator)).requires_grad_()
    return chosen, change, lambda c: chosen + c


def _first(net: PointNet, cloud: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Critical points of ``cloud`` first, others after: where added points start."""
    order = torch.randperm(len(cloud), generator=generator)
    critical = net.critical(cloud)[order]
    return cloud[torch.cat([order[critical], order[~critical]])[:count]]


def _apart(kind: str, points: Tensor) -> Tensor | float:
    """For clusters, how far their points are from the middle of each, squared: a cluster should stay one thing."""
    if kind != CLUSTERS or points.shape[1] < CLUSTER_COUNT:
        return 0.0
    groups = points.unflatten(1, (CLUSTER_COUNT, -1))
    return (groups - groups.mean(2, keepdim=True)).square().sum(-1).mean((1, 2))
