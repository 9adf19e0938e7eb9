"""Cos-UAP: turn the logits away from where they were (Zhang et al., ICCV 2021, "Data-free universal adversarial...").

The loss is the cosine similarity of clean and perturbed logits. It needs no labels and is bounded, so no single image can
dominate the sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.crafting.loop import Descent, Progress
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball


def cosine_loss(clean: Tensor, perturbed: Tensor) -> Tensor:
    """Mean over the batch of cos(f(x), f(x+v)) for logits (n,K)."""
    return F.cosine_similarity(clean, perturbed, dim=1).mean()


@dataclass(frozen=True)
class Cosine:
    """Craft by descending on the cosine similarity of logits."""

    descent: Descent = field(default_factory=Descent)

    def craft(self, classifier: Classifier, images: Tensor, ball: Ball, generator: torch.Generator) -> Iterator[Progress]:
        """See ``loop.Crafter``."""
        yield from self.descent.run(cosine_loss, classifier, images, ball, generator)
