"""Stochastic gradient aggregation (Liu et al., ICCV 2023): look ahead in small steps, then move by what they agree on.

For each large batch a copy u of v walks through mini-batches by sign steps; the gradients it meets are averaged, v takes one
sign step on their mean, and u is thrown away. Small batches escape poor local optima, the mean keeps v steady.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.crafting.first_order import FirstOrder
from uap_core.crafting.problem import Problem
from uap_core.crafting.spgd import clipped_cross_entropy
from uap_core.crafting.state import State
from uap_core.crafting.steps import steepest
from uap_core.errors import SettingError
from uap_core.texts import _


@dataclass(frozen=True, kw_only=True)
class SGA(FirstOrder):
    """``batch_size`` images a large batch, walked through ``passes`` times by mini-batches of ``mini_batch``.

    ``rate``: the steps of u and of v as a share of the radius. ``momentum``: how much of the last mean gradient stays, each
    normalised to mean absolute value 1 (0: none). The budget must allow for some twenty steps, or v never gets to the surface.
    """

    key: ClassVar[str] = "sga"
    budget: int = 20_000
    batch_size: int = 100
    mini_batch: int = 10
    passes: int = 4
    rate: float = 0.1
    momentum: float = 0.0
    loss = staticmethod(clipped_cross_entropy)

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.mini_batch, self.passes) < 1:
            raise SettingError(_("SGA needs at least one pass over mini-batches of at least one image."))

    @property
    def steps(self) -> int:
        """Steps of the whole run: a large batch is gone through ``passes`` times in each."""
        return max(1, self.budget // (self.batch_size * self.passes))

    def step(self, problem: Problem, state: State) -> None:
        """One large batch (Algorithm 1 of the paper)."""
        large = state.next_batch(len(problem.images), self.batch_size)
        u, mean = state.pattern, torch.zeros_like(state.pattern)
        size = self.rate * problem.ball.radius
        walks = [large[torch.randperm(len(large), generator=state.generator)] for _ in range(self.passes)]
        batches = [mini for walk in walks for mini in walk.split(self.mini_batch)]
        for mini in batches:
            gradient = self.counted_gradient(problem, state, mini, u)
            mean = mean + gradient / len(batches)
            u = problem.ball.project(u - steepest(problem.ball, gradient, size))
        move = steepest(problem.ball, self._with_momentum(mean, state), size)
        state.pattern = problem.ball.project(state.pattern - move)

    def _with_momentum(self, mean: Tensor, state: State) -> Tensor:
        if not self.momentum:
            return mean
        scaled = mean / mean.abs().mean().clamp_min(1e-30)
        state.memory["momentum"] = self.momentum * state.memory.get("momentum", torch.zeros_like(mean)) + scaled
        return state.memory["momentum"]
