"""Random views of the craft images, a data augmentation: a random part of the picture, enlarged, sometimes mirrored.

A pattern crafted on a few hundred whole pictures overfits them. The pattern itself is not moved.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def draw_views(count: int, smallest: float, generator: torch.Generator) -> Tensor:
    """``count`` maps (count,2,3) from places in the view to places in the picture, both from -1 to 1.

    Each shows a square whose side is drawn from ``smallest`` to 1 of the picture's, anywhere in it; half of them, at random,
    are mirrored.
    """
    side = smallest + (1 - smallest) * torch.rand(count, generator=generator)
    middle = (1 - side)[:, None] * (2 * torch.rand(count, 2, generator=generator) - 1)
    mirrored = 1 - 2 * torch.randint(0, 2, (count,), generator=generator)
    zero = torch.zeros(count)
    across = torch.stack([side * mirrored, zero, middle[:, 0]], dim=1)
    down = torch.stack([zero, side, middle[:, 1]], dim=1)
    return torch.stack([across, down], dim=1)


def seen(images: Tensor, views: Tensor) -> Tensor:
    """``images`` (n,3,H,W), float32 in [0,1], as ``views`` (n,2,3) show them, in between pixels linearly; same shape."""
    grid = F.affine_grid(views.to(images.device), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
