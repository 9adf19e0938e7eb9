"""What every single-image attack returns."""

from __future__ import annotations

from dataclasses import dataclass, fields

from torch import Tensor


@dataclass(frozen=True)
class AttackResult:
    """Outcome for a batch of N images; a stream yields the best so far, ``done`` marks the end.

    ``adversarial`` (N,3,H,W) in [0,1]; ``success`` (N,) bool; ``labels`` (N,) predictions on ``adversarial``; ``linf``, ``l2``
    (N,) norms of the change in units of [0,1], ``l0`` (N,) pixels changed (in any colour); ``gradients`` and ``queries`` (N,)
    backward and forward passes that the image took; ``share`` of the work done. All norms are taken from ``adversarial``
    itself.
    """

    adversarial: Tensor
    success: Tensor
    labels: Tensor
    linf: Tensor
    l2: Tensor
    l0: Tensor
    gradients: Tensor
    queries: Tensor
    seconds: float
    share: float = 1.0
    done: bool = True

    def within(self, whole: AttackResult, places: Tensor) -> AttackResult:
        """The result ``whole`` of a larger batch, with these images at their ``places`` (n,) in it."""
        values = {}
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(whole, field.name)
            values[field.name] = theirs.index_copy(0, places, mine) if isinstance(mine, Tensor) else mine
        return AttackResult(**values)
