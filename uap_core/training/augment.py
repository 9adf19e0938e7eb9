"""Augmentation of whole batches at once: on two cores, per-image Python would cost more than the network itself."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

GREY = (0.299, 0.587, 0.114)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.empty(count).uniform_(low, high, generator=generator)


def crop_and_flip(images: Tensor, size: int, smallest: float, generator: torch.Generator) -> Tensor:
    """A random crop of every image, mirrored half of the time, at ``size`` pixels.

    ``images`` (N,3,H,W) in [0,1]; the crop covers between ``smallest`` and all of the area, sides in the ratio 3:4 to 4:3
    (Szegedy et al., CVPR 2015). Returns (N,3,size,size).
    """
    count = len(images)
    area = _uniform(count, smallest, 1.0, generator)
    aspect = _uniform(count, math.log(3 / 4), math.log(4 / 3), generator).exp()
    width = (area * aspect).sqrt().clamp(max=1.0)
    height = (area / aspect).sqrt().clamp(max=1.0)
    mirror = torch.where(_uniform(count, 0, 1, generator) < 0.5, -1.0, 1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = width * mirror
    theta[:, 1, 1] = height
    theta[:, 0, 2] = (1 - width) * _uniform(count, -1, 1, generator)
    theta[:, 1, 2] = (1 - height) * _uniform(count, -1, 1, generator)
    grid = F.affine_grid(theta.to(images.device), [count, 3, size, size], align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def jitter_colours(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Brightness, contrast and saturation, each multiplied by a factor in [1-strength, 1+strength]; (N,3,H,W) in [0,1]."""
    factors = _uniform(3 * len(images), 1 - strength, 1 + strength, generator).view(3, -1, 1, 1, 1).to(images.device)
    images = images * factors[0]
    images = torch.lerp(images.mean(dim=(1, 2, 3), keepdim=True), images, factors[1])
    grey = (images * images.new_tensor(GREY).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    return torch.lerp(grey, images, factors[2]).clamp(0, 1)


def cutmix(images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Paste one random box of every image's partner over it and mix the soft targets by area (Yun et al., ICCV 2019).

    ``images`` (N,3,H,W), ``targets`` (N,K) summing to one. One box a batch; returns new tensors.
    """
    height, width = images.shape[-2:]
    side = math.sqrt(1 - float(_uniform(1, 0, 1, generator)))
    box_height, box_width = round(height * side), round(width * side)
    top = int(torch.randint(height - box_height + 1, (1,), generator=generator))
    left = int(torch.randint(width - box_width + 1, (1,), generator=generator))
    partner = torch.randperm(len(images), generator=generator)
    mixed = images.clone()
    mixed[:, :, top : top + box_height, left : left + box_width] = images[
        partner, :, top : top + box_height, left : left + box_width
    ]
    kept = 1 - box_height * box_width / (height * width)
    return mixed, kept * targets + (1 - kept) * targets[partner]
