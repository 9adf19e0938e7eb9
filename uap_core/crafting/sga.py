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
from uap_core.crafting.menu import register_method
from uap_core.crafting.optimizers import steepest
from uap_core.crafting.problem import Problem
from uap_core.crafting.spgd import clipped_cross_entropy
from uap_core.crafting.state import State
from uap_core.errors import SettingError


@register_method(
    "sga",
    "SGA",
    "Liu et al., ICCV 2023",
    "Looks ahead in small batches, then moves by what they agree on; here 40 images a move, gone through once.",
    place=70,
    settings={"batch_size": 40, "passes": 1},
    colour="#CC79A7",
    marker="D",
)
@dataclass(frozen=True, kw_only=True)
class SGA(FirstOrder):
    """Craft by stochastic gradient aggregation: look ahead in mini-batches, then move by what they agree on.

    Liu et al., "Enhancing generalization of universal adversarial perturbation through gradient aggregation", ICCV 2023,
    Algorithm 1. The budget must allow for some twenty steps, or v never gets to the surface.

    Args:
        mini_batch: images of a step ahead.
        passes: over a large batch of ``batch_size`` images.
        rate: the steps ahead and of v as a share of the radius.
        momentum: decay of the accumulated mean gradients, each divided by its mean absolute value (0: no momentum).
        bf16: see ``FirstOrder``.
        budget, batch_size, interval, delta: see ``Crafter``.

    Raises:
        SettingError: no pass, or no image in a mini-batch.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(network, images, method=uap_core.SGA(budget=64, batch_size=16, passes=1))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
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
            raise SettingError("SGA needs at least one pass over mini-batches of at least one image.")

    @property
    def steps(self) -> int:
        """Steps of the whole run; each makes ``passes`` over its large batch."""
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
