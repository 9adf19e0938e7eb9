"""What an attack is to reach: any other label than the given one, or a given target."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Aim:
    """``labels`` (N,) are the targets when ``targeted``, else what the network says now and shall no longer say."""

    labels: Tensor
    targeted: bool

    def of(self, which: Tensor) -> Aim:
        """The aims of the images ``which`` (indices)."""
        return Aim(self.labels[which], self.targeted)

    def reached(self, logits: Tensor) -> Tensor:
        """Where (n,) the prediction of ``logits`` (n,K) is what was wanted."""
        return (logits.argmax(dim=1) == self.labels) == self.targeted

    def gap(self, scores: Tensor) -> Tensor:
        """How far (n,) ``scores`` (n,K) are from the aim: max_{j != t} Z_j - Z_t, or the reverse. Below 0 once it is reached.

        The class itself is masked with -inf: a product would fail where all logits are negative.
        """
        own = scores.gather(1, self.labels[:, None])[:, 0]
        others = scores.scatter(1, self.labels[:, None], -math.inf).amax(dim=1)
        return others - own if self.targeted else own - others

    def loss(self, logits: Tensor) -> Tensor:
        """Cross-entropy (n,), to descend on: of the target, or with its sign turned of the label to leave."""
        return (1 if self.targeted else -1) * F.cross_entropy(logits, self.labels, reduction="none")


def least_likely(logits: Tensor) -> Tensor:
    """The class (n,) that each row of ``logits`` (n,K) holds least likely: the hardest target (Kurakin et al., 2017)."""
    return logits.argmin(dim=1)


def runner_up(logits: Tensor) -> Tensor:
    """The likeliest class (n,) after the predicted one: what attacks aim at that need a target and were given none."""
    return logits.topk(2, dim=1).indices[:, 1]


def as_column(values: Tensor) -> Tensor:
    """(n,) to (n,1,1,1), to multiply images with."""
    return values[:, None, None, None]


def unit_interval(images: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """Lowest and highest values within ``epsilon`` of ``images`` (N,3,H,W) and within [0,1]."""
    return (images - epsilon).clamp(0, 1), (images + epsilon).clamp(0, 1)


def between(x: Tensor, bounds: tuple[Tensor, Tensor]) -> Tensor:
    """clip_eps of the notes: ``x`` brought back to the nearest point within ``bounds``."""
    return torch.minimum(torch.maximum(x, bounds[0]), bounds[1])
