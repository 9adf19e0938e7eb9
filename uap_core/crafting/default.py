"""Ours: what won when every part was tried at equal cost.

Ascend on the clipped cross-entropy of the clean predictions in small batches, whose noise finds better patterns; Adam with a
rate as large as the ball, falling linearly to zero; a ball that begins at twice its radius and shrinks over the first part
of the run, so that the pattern takes shape where gradients are rich; and at last the pattern pushed out to the surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from uap_core.crafting.first_order import FirstOrder
from uap_core.crafting.loop import largest_value, saturate
from uap_core.crafting.problem import Problem
from uap_core.crafting.spgd import clipped_cross_entropy
from uap_core.crafting.state import State
from uap_core.crafting.steps import adam
from uap_core.errors import SettingError
from uap_core.norms import LINF, Ball


@dataclass(frozen=True, kw_only=True)
class Default(FirstOrder):
    """``rate``: Adam's first, as a share of what a value may reach. ``start``: radius of the first ball in radii of the
    last; ``shrinking``: the share of the run that it takes to get there."""

    batch_size: int = 8
    rate: float = 1.0
    start: float = 2.0
    shrinking: float = 0.6
    loss = staticmethod(clipped_cross_entropy)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start < 1 or not 0 < self.shrinking <= 1:
            raise SettingError("The first ball is at least as large as the last, and shrinks over a share of the run.")

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """Faint random signs."""
        return State(0.1 * problem.random_signs(generator), generator)

    def step(self, problem: Problem, state: State) -> None:
        """One step of Adam in the ball of the moment."""
        gradient = self.batch_gradient(problem, state, state.pattern)
        ball = self.ball_after(problem.ball, (state.step + 1) / self.steps)
        size = self.rate * largest_value(ball, state.pattern) * (1 - state.step / self.steps)
        state.pattern = ball.project(state.pattern - size * adam(state.memory, gradient, state.step + 1))

    def ball_after(self, ball: Ball, share: float) -> Ball:
        """The ball once ``share`` of the run is done."""
        radius = ball.radius * (1 + (self.start - 1) * max(0.0, 1 - share / self.shrinking))
        return Ball(ball.p, min(radius, 1.0) if ball.p == LINF else radius)

    def finish(self, problem: Problem, state: State) -> None:
        """Out to the surface, where that fools no fewer."""
        state.pattern = problem.ball.project(state.pattern)
        saturate(problem, state)
