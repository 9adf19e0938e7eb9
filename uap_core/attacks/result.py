"""What every single-image attack takes and returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from uap_core.models.classifier import Classifier


@dataclass(frozen=True)
class AttackResult:
    """Outcome for a batch of N images; a stream yields the best so far, ``done`` marks the end.

    ``adversarial`` (N,3,H,W) in [0,1]; ``success`` (N,) bool; ``labels`` (N,) predictions on ``adversarial``; ``linf`` and
    ``l2`` (N,) norms of the change in units of [0,1]; ``steps`` gradient steps an image so far; ``share`` of the work done.
    """

    adversarial: Tensor
    success: Tensor
    labels: Tensor
    linf: Tensor
    l2: Tensor
    steps: int
    seconds: float
    share: float = 1.0
    done: bool = True


class Attack(Protocol):
    """A frozen dataclass of hyper-parameters. Images of a batch never influence each other."""

    def stream(self, classifier: Classifier, images: Tensor, labels: Tensor, targeted: bool) -> Iterator[AttackResult]:
        """Attack ``images`` (N,3,H,W) away from ``labels`` (N,), or towards them when ``targeted``; yield best-so-far."""
        ...


def summarise(
    images: Tensor, adversarial: Tensor, predicted: Tensor, labels: Tensor, targeted: bool, steps: int, seconds: float
) -> AttackResult:
    """A finished result, with success and norms taken from the very tensor that is returned."""
    change = (adversarial - images).flatten(1)
    success = predicted == labels if targeted else predicted != labels
    return AttackResult(
        adversarial, success, predicted, change.abs().amax(dim=1), change.norm(dim=1), steps=steps, seconds=seconds
    )
