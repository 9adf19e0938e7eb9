"""A fixed pattern, universal or random signs, as an attack that does not look at the image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.base import Attack
from uap_core.attacks.run import AttackRun
from uap_core.perturbations.perturbation import apply


@dataclass(frozen=True, eq=False)
class Fixed(Attack):
    """Add the same ``pattern`` v (3,H,W) to every image: x' = clamp(x + v, 0, 1)."""

    pattern: Tensor

    def perturb(self, run: AttackRun, generator: torch.Generator) -> None:
        """Cost one query and no gradient."""
        run.judge(apply(run.images, self.pattern.to(run.images)))
