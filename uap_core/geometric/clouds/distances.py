"""How far a changed cloud is from the clean one: l2, Chamfer, Hausdorff."""

from __future__ import annotations

from torch import Tensor

L2, CHAMFER, HAUSDORFF = "l2", "chamfer", "hausdorff"


def nearest(points: Tensor, cloud: Tensor) -> Tensor:
    """Squared distance (N,a) of each of ``points`` (N,a,3) to the nearest point of ``cloud`` (N,m,3)."""
    between = (points[:, :, None] - cloud[:, None]).square().sum(-1)
    return between.amin(2)


def distance(kind: str, changed: Tensor, cloud: Tensor) -> Tensor:
    """The distance (N,) of ``changed`` points (N,a,3) to ``cloud`` (N,m,3), squared.

    l2: of each point to where it was, summed (a = m). Chamfer: the mean over changed points of the squared distance to the
    nearest clean one. Hausdorff: the largest of these. Both one-sided, as Xiang et al. (CVPR 2019) have them.
    """
    if kind == L2:
        return (changed - cloud).square().sum((1, 2))
    found = nearest(changed, cloud)
    return found.mean(1) if kind == CHAMFER else found.amax(1)
