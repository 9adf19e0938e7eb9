"""Arithmetic on batches of images (N,3,H,W): what each pixel may become, factors of each image, norms of each change."""

from __future__ import annotations

import torch
from torch import Tensor


def as_column(values: Tensor, like: Tensor) -> Tensor:
    """(n,) to (n,1,...,1), to multiply the rows of ``like`` with."""
    return values.view(-1, *(1,) * (like.ndim - 1))


def unit_interval(images: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """Lowest and highest values within ``epsilon`` of ``images`` (N,3,H,W) and within [0,1]."""
    return (images - epsilon).clamp(0, 1), (images + epsilon).clamp(0, 1)


def between(x: Tensor, bounds: tuple[Tensor, Tensor]) -> Tensor:
    """The papers' clip_eps: the nearest point to ``x`` within ``bounds``."""
    return torch.minimum(torch.maximum(x, bounds[0]), bounds[1])


def l2_norm(change: Tensor) -> Tensor:
    """(n,) of changes (n,3,H,W)."""
    return change.flatten(1).norm(dim=1)


def squared_l2(change: Tensor) -> Tensor:
    """(n,) of changes (n,3,H,W)."""
    return change.flatten(1).square().sum(dim=1)


def linf_norm(change: Tensor) -> Tensor:
    """(n,) of changes (n,3,H,W)."""
    return change.abs().amax(dim=(1, 2, 3))
