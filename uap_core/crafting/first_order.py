"""What the first-order methods share: a loss, a mini-batch, one gradient on the pattern, one step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from uap_core.crafting.base import Crafter
from uap_core.crafting.problem import Loss, Problem
from uap_core.crafting.state import State


@dataclass(frozen=True, kw_only=True)
class FirstOrder(Crafter, ABC):
    """A method that takes budget / batch_size steps of one mini-batch each; a set smaller than a batch takes as many.

    bf16: compute gradients in bfloat16 where the processor has instructions for it, up to three times as fast.
    """

    bf16: bool = False

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return max(1, self.budget // self.batch_size)

    def share(self, problem: Problem, state: State) -> float:
        """See ``Crafter.share``."""
        return state.step / self.steps

    def batch_gradient(self, problem: Problem, state: State, v: Tensor) -> Tensor:
        """The gradient at ``v`` on the next mini-batch."""
        return self.counted_gradient(problem, state, state.next_batch(len(problem.images), self.batch_size), v)

    def counted_gradient(self, problem: Problem, state: State, batch: Tensor, v: Tensor) -> Tensor:
        """The gradient at ``v`` on the images of ``batch`` (indices), counted as work."""
        state.image_gradients += len(batch) * len(problem.networks)
        views, wobbles = self.views(batch, state), self.wobbles(batch, state)
        return problem.gradient(self.objective(problem), batch, v, self.bf16, views, wobbles)

    def objective(self, problem: Problem) -> Loss:
        """What is descended on: ``loss`` for the criterion of the ``problem``."""
        return partial(self.loss, target=problem.criterion.target)

    def views(self, batch: Tensor, state: State) -> Tensor | None:
        """Maps (n,2,3) that move the images of ``batch`` under the pattern; None for no move."""
        return None

    def wobbles(self, batch: Tensor, state: State) -> Tensor | None:
        """Input diversity: maps (n,2,3) that move the perturbed images of ``batch``; None for no move."""
        return None

    @staticmethod
    @abstractmethod
    def loss(clean: Tensor, perturbed: Tensor, target: int | None) -> Tensor:
        """The loss (n,) to minimise, from logits (n,K) of clean and perturbed images."""
