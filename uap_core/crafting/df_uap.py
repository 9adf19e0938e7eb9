"""DF-UAP (Zhang et al., CVPR 2020): push the margin of the clean prediction below -kappa, with Adam.

Minimise max(z_y - max_{j != y} z_j, -kappa), y the clean prediction. Targeted: max(max_{j != t} z_j - z_t, -kappa), where only
z_t is differentiated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.crafting.base import largest_value
from uap_core.crafting.first_order import FirstOrder
from uap_core.crafting.menu import register_method
from uap_core.crafting.optimizers import adam
from uap_core.crafting.problem import Problem
from uap_core.crafting.state import State

KAPPA = 10.0


def margin(clean: Tensor, perturbed: Tensor, target: int | None = None) -> Tensor:
    """How far the clean prediction leads, or the target lags behind, in logits; at least -KAPPA. (n,K) to (n,)."""
    chosen = clean.argmax(dim=1) if target is None else torch.full_like(clean.argmax(dim=1), target)
    own = perturbed.gather(1, chosen[:, None])[:, 0]
    best_other = perturbed.scatter(1, chosen[:, None], -torch.inf).amax(dim=1)
    lead = own - best_other if target is None else best_other.detach() - own
    return lead.clamp(min=-KAPPA)


@register_method(
    "margin",
    "DF-UAP",
    "Zhang et al., CVPR 2020",
    "Pushes the clean label's lead over the best other label below zero, with Adam.",
    place=50,
    colour="#009E73",
    marker="^",
)
@dataclass(frozen=True, kw_only=True)
class Margin(FirstOrder):
    """Craft DF-UAP: push the margin of the clean prediction below -kappa, with Adam.

    Zhang et al., "Understanding adversarial examples from the mutual influence of images and perturbations", CVPR 2020.

    Args:
        rate: Adam's, as a share of what a value may reach; 0.1275 is the paper's 0.005 for 10/255.
        bf16: see ``FirstOrder``.
        budget, batch_size, interval, delta: see ``Crafter``.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(network, images, method=uap_core.Margin(budget=64))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "margin"
    batch_size: int = 32
    rate: float = 0.1275
    loss = staticmethod(margin)

    def step(self, problem: Problem, state: State) -> None:
        """One step of Adam, then clip."""
        gradient = self.batch_gradient(problem, state, state.pattern)
        size = self.rate * largest_value(problem.ball, state.pattern)
        state.pattern = problem.ball.project(state.pattern - size * adam(state.memory, gradient, state.step + 1))
