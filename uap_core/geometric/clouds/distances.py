"""How far a changed cloud is from the clean one: l2, Chamfer, Hausdorff."""

from __future__ import annotations

import torch
from torch import Tensor

L2, CHAMFER, HAUSDORFF = "l2", "chamfer", "hausdorff"


def nearest(points: Tensor, cloud: Tensor) -> Tensor:
    """Squared distance (N,a) of each of ``points`` (N,a,3) to the nearest point of ``cloud`` (N,m,3)."""
    with torch.no_grad():  # which one is nearest has no derivative, and all distances at once are slow to derive
        where = torch.cdist(points, cloud, compute_mode="donot_use_mm_for_euclid_dist").argmin(2)
    return (points - cloud.gather(1, where[..., None].expand(-1, -1, 3))).square().sum(-1)


def distance(kind: str, changed: Tensor, cloud: Tensor) -> Tensor:
    """The distance (N,) of ``changed`` points (N,a,3) to ``cloud`` (N,m,3), squared.

    l2: of each point to where it was, summed (a = m). Chamfer: the mean over changed points of the squared distance to the
    nearest clean one. Hausdorff: the largest of these. Both one-sided, as Xiang et al. (CVPR 2019) have them.
    """
    if kind == L2:
        return (changed - cloud).square().sum((1, 2))
    found = nearest(changed, cloud)
    return found.mean(1) if kind == CHAMFER else found.amax(1)
