"""Removal of outliers before the network looks: points far from their nearest neighbours (Rusu et al., 2008)."""

from __future__ import annotations

import torch
from torch import Tensor

NEIGHBOURS, SPREADS = 4, 2.0


def without_outliers(cloud: Tensor) -> Tensor:
    """``cloud`` (m,3) without the points whose mean distance to their ``NEIGHBOURS`` nearest is more than ``SPREADS`` standard
    deviations above that of all points."""
    return cloud[~outliers(cloud)]


def outliers(cloud: Tensor) -> Tensor:
    """Whether (m,) each point would be removed."""
    near = torch.cdist(cloud, cloud).topk(min(NEIGHBOURS + 1, len(cloud)), largest=False).values[:, 1:].mean(1)
    return near > near.mean() + SPREADS * near.std()
