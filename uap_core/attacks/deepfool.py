"""DeepFool (Moosavi-Dezfooli et al., CVPR 2016): the smallest step over a boundary between classes, linearised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# A hair beyond the boundary, so that a point which lies exactly on it moves too: the authors' 1e-4 of 255 levels.
NUDGE = 1e-4 / 255


@dataclass(frozen=True)
class Crossing:
    """``steps`` like the points: what to add to each so that its label changes; ``crossed`` (n,) says where that came true.

    ``backward_passes`` of one point each were spent.
    """

    steps: Tensor
    crossed: Tensor
    backward_passes: int


def cross_boundary(
    logits_of: Callable[[Tensor], Tensor],
    points: Tensor,
    candidates: int = 10,
    overshoot: float = 0.02,
    iterations: int = 10,
    target: int | None = None,
) -> Crossing:
    """The smallest l2 step that changes the label of each of ``points`` (n,3,H,W), as ``logits_of`` (n,K) sees them.

    Looks at the ``candidates`` highest classes at the start (the current label is one of them), or at ``target`` alone. The
    step is overshot by ``overshoot``, at the end and while looking (Algorithm 2); a step that crosses in the last of
    ``iterations`` counts. Points are independent of each other. A point without any slope stays where it is.
    """
    steps, crossed, spent = torch.zeros_like(points), torch.zeros(len(points), dtype=torch.bool, device=points.device), 0
    if not len(points):
        return Crossing(steps, crossed, spent)
    with torch.no_grad():
        logits = logits_of(points)
    highest = logits.topk(min(candidates, logits.shape[1])).indices
    labels = highest[:, 0].clone()
    others = highest[:, 1:] if target is None else torch.full_like(highest[:, :1], target)
    if target is not None:
        crossed = labels == target
    for _ in range(iterations):
        going = (~crossed).nonzero()[:, 0]
        if not len(going):
            break
        at = points[going] + (1 + overshoot) * steps[going]
        steps[going] += _to_nearest_boundary(logits_of, at, labels[going], others[going])
        spent += len(going) * others.shape[1]
        with torch.no_grad():
            now = logits_of(points[going] + (1 + overshoot) * steps[going]).argmax(dim=1)
        crossed[going] = now != labels[going] if target is None else now == target
        if target is not None:
            labels[going] = now  # the way to a target may lead through other classes
    return Crossing((1 + overshoot) * steps, crossed, spent)


def _to_nearest_boundary(logits_of: Callable[[Tensor], Tensor], at: Tensor, labels: Tensor, others: Tensor) -> Tensor:
    """The step to the nearest of the linearised boundaries with ``others`` (n,C); zero where no class has a slope."""
    at = at.detach().requires_grad_(True)
    with torch.enable_grad():
        logits = logits_of(at)
        gaps = logits.gather(1, others) - logits.gather(1, labels[:, None])
    nearest = torch.full((len(at),), torch.inf, device=at.device)
    move = torch.zeros_like(at)
    for column in range(others.shape[1]):
        is_last = column == others.shape[1] - 1
        normal = torch.autograd.grad(gaps[:, column].sum(), at, retain_graph=not is_last)[0]
        length = normal.flatten(1).norm(dim=1)
        distance = gaps[:, column].detach().abs() / length
        closer = (distance < nearest) & (length > 0)
        nearest = distance.where(closer, nearest)
        step = ((distance + NUDGE) / length)[:, None, None, None] * normal
        move = step.where(closer[:, None, None, None], move)
    return move.detach()
