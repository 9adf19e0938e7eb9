"""Clipped cross-entropy: drive every image away from its own clean prediction, but none further than beta.

The loss of stochastic PGD for universal perturbations (Shafahi et al., AAAI 2020, eq. 5): ascend the mean over a mini-batch
of min(cross-entropy(f(x+v), k(x)), beta). The clean prediction k(x) stands in for a label, so none is needed; beta keeps a
single image from dominating the sum. Our steps are Adam's and our batches small: their noise finds better patterns.
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

BETA = 9.0


def clipped_ce_loss(clean: Tensor, perturbed: Tensor) -> Tensor:
    """Minus the mean over the batch of min(cross-entropy(perturbed, argmax clean), BETA) for logits (n,K)."""
    each = F.cross_entropy(perturbed, clean.argmax(dim=1), reduction="none")
    return -each.clamp(max=BETA).mean()


@dataclass(frozen=True)
class ClippedCE:
    """Craft by ascending on the clipped cross-entropy of the clean predictions."""

    descent: Descent = field(default_factory=Descent)

    def craft(self, classifier: Classifier, images: Tensor, ball: Ball, generator: torch.Generator) -> Iterator[Progress]:
        """See ``loop.Crafter``."""
        yield from self.descent.run(clipped_ce_loss, classifier, images, ball, generator)
