"""What every single-image attack returns."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Trial:
    """One value of c in the search of an attack that weighs a distance against a penalty.

    Args:
        image: which of the batch.
        constant: c.
        length: of the change where the descent for this c ended, in the norm that the attack minimises, units of [0,1].
        success: whether it succeeds there, so that c need not be larger.
    """

    image: int
    constant: float
    length: float
    success: bool


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
        trials: values of c in the order in which they were tried, of attacks that search for the least that works.
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
    trials: tuple[Trial, ...] = ()

    def within(self, whole: AttackResult, places: Tensor) -> AttackResult:
        """The result ``whole`` of a larger batch, with these images at their ``places`` (n,) in it."""
        values: dict[str, Any] = {}
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(whole, field.name)
            values[field.name] = theirs.index_copy(0, places, mine) if isinstance(mine, Tensor) else mine
        moved = tuple(replace(trial, image=int(places[trial.image])) for trial in self.trials)
        return AttackResult(**values | {"trials": moved})
