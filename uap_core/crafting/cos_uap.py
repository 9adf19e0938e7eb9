"""Cos-UAP (Zhang et al., ICCV 2021): make the logits under the pattern point away from the clean ones, with Adam.

Minimise the cosine similarity of f(x) and f(x+v): no label is needed, and the loss bounds itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.base import largest_value
from uap_core.crafting.first_order import FirstOrder
from uap_core.crafting.menu import register_method, with_targets
from uap_core.crafting.optimizers import adam
from uap_core.crafting.problem import Problem
from uap_core.crafting.state import State
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball


def cosine(clean: Tensor, perturbed: Tensor, target: int | None = None) -> Tensor:
    """Cosine similarity of clean and perturbed logits, (n,K) to (n,) in [-1,1]."""
    return F.cosine_similarity(clean, perturbed)


@register_method(
    "cosine",
    "Cos-UAP",
    "Zhang et al., ICCV 2021",
    "Turns the logits away from the clean ones: no label is needed.",
    place=60,
    targets=False,
    colour="#E69F00",
    marker="s",
)
@dataclass(frozen=True, kw_only=True)
class Cosine(FirstOrder):
    """Craft Cos-UAP: turn the logits under the pattern away from the clean ones, with Adam. No label, and no target.

    Zhang et al., "Data-free universal adversarial perturbation and black-box attack", ICCV 2021.

    Args:
        rate: Adam's, as a share of what a value may reach; 0.125 is 1.25/255 for 10/255.
        bf16: see ``FirstOrder``.
        budget, batch_size, interval, delta: see ``Crafter``.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(network, images, method=uap_core.Cosine(budget=64))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "cosine"
    rate: float = 0.125
    loss = staticmethod(cosine)

    def check(self, networks: tuple[Classifier, ...], ball: Ball, criterion: Criterion, ensemble: str) -> None:
        """There is no targeted form."""
        if criterion.targeted:
            raise SettingError(f"The cosine method has no target: it only drives away. Choose one of: {with_targets()}.")

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """Start near zero: at v = 0 the cosine is maximal and its gradient zero, so rounding errors would pick the
        direction."""
        return State(0.1 * problem.random_signs(generator), generator)

    def step(self, problem: Problem, state: State) -> None:
        """One step of Adam, then clip."""
        gradient = self.batch_gradient(problem, state, state.pattern)
        size = self.rate * largest_value(problem.ball, state.pattern)
        state.pattern = problem.ball.project(state.pattern - size * adam(state.memory, gradient, state.step + 1))
