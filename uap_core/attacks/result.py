"""What every single-image attack returns."""

from __future__ import annotations

from dataclasses import dataclass, fields

from torch import Tensor


@dataclass(frozen=True)
class AttackResult:
    """Hold the outcome for a batch of N images; a stream yields the best so far, ``done`` marks the end.

    All norms are computed from ``adversarial``.

    Args:
        adversarial: (N,3,H,W) in [0,1].
        success: (N,) bool.
        labels: (N,) predictions on ``adversarial``.
        linf: (N,) l_inf norms of the change in units of [0,1].
        l2: (N,) l_2 norms of the change in the same units.
        l0: (N,) pixels changed, in any colour.
        gradients: (N,) backward passes that the image took.
        queries: (N,) forward passes.
        seconds: of the whole batch, intermediate results left out.
        share: of the work that is done, 0 to 1.
        done: whether this is the last of a stream.
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
