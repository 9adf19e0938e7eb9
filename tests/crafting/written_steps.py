"""The steps of the project's method written out, for tests of methods that differ in their gradient alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from uap_core import Ball


class WrittenSteps:
    """A pattern ``v`` (3,H,W) in eight steps within ``ball``: of Adam in l_inf, along the mean direction in l2."""

    def __init__(self, ball: Ball, v: Tensor) -> None:
        self.ball, self.v, self.k = ball, v, 0
        self.moments, self.mean = torch.zeros(2, *v.shape), torch.zeros_like(v)

    @property
    def now(self) -> Ball:
        """The ball after this step: it shrinks from twice its radius for three fifths of the run."""
        return Ball(self.ball.p, self.ball.radius * (1 + max(0.0, 1 - (self.k + 1) / 8 / 0.6)))

    @property
    def unit(self) -> float:
        """What a value may reach."""
        return self.now.radius if self.ball.p == "linf" else self.now.radius / math.sqrt(self.v.numel())

    def descend(self, gradient: Tensor) -> None:
        """Take the next step."""
        if self.ball.p == "linf":
            self.moments[0] = 0.9 * self.moments[0] + 0.1 * gradient
            self.moments[1] = 0.999 * self.moments[1] + 0.001 * gradient**2
            first, second = self.moments[0] / (1 - 0.9 ** (self.k + 1)), self.moments[1] / (1 - 0.999 ** (self.k + 1))
            direction = first / second.sqrt()
        else:
            self.mean = 0.9 * self.mean + 0.1 * gradient / gradient.norm() * math.sqrt(gradient.numel())
            direction = self.mean / (1 - 0.9 ** (self.k + 1))
        self.v = self.now.project(self.v - self.unit * (1 - self.k / 8) * direction)
        self.k += 1
