"""A pattern that knows nothing of the photograph, under the contract of attacks: the universal one, or random signs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.base import Attack
from uap_core.attacks.run import Subject
from uap_core.perturbations.perturbation import apply


@dataclass(frozen=True, eq=False)
class Fixed(Attack):
    """clamp(x + v, 0, 1) with ``pattern`` (3,H,W) as v."""

    pattern: Tensor

    def run(self, subject: Subject, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.run``: one query and no gradient."""
        x = apply(subject.images, self.pattern.to(subject.images))
        with torch.inference_mode():
            subject.settle(x, subject.logits(x, subject.all), subject.all)
        yield 1.0
