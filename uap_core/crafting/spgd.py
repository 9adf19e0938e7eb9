"""Stochastic PGD (Shafahi et al., AAAI 2020; Mummadi et al., ICCV 2019): sign steps on a clipped cross-entropy.

Ascend the mean over a mini-batch of min(cross-entropy(f(x+v), k(x)), beta); k(x), the clean prediction, replaces a
label. beta keeps a single image from dominating the sum. Targeted: descend on the cross-entropy of the target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.crafting.first_order import FirstOrder
from uap_core.crafting.menu import register_method
from uap_core.crafting.optimizers import steepest
from uap_core.crafting.problem import Problem
from uap_core.crafting.state import State

BETA = 9.0


def clipped_cross_entropy(clean: Tensor, perturbed: Tensor, target: int | None = None) -> Tensor:
    """Minus min(cross-entropy of the clean prediction, BETA); with a ``target`` its own, unclipped. (n,K) to (n,)."""
    if target is not None:  # clipped above, the images furthest from the target would pull no more
        return F.cross_entropy(perturbed, torch.full_like(clean.argmax(dim=1), target), reduction="none")
    return -F.cross_entropy(perturbed, clean.argmax(dim=1), reduction="none").clamp(max=BETA)


@register_method(
    "spgd",
    "SPGD",
    "Shafahi et al., AAAI 2020; Mummadi et al., ICCV 2019",
    "Sign steps on a clipped cross-entropy: training's gradient descent, with the pattern in place of the weights.",
    place=40,
    colour="#0072B2",
    marker="v",
)
@dataclass(frozen=True, kw_only=True)
class SPGD(FirstOrder):
    """Craft with sign steps on a clipped cross-entropy of mini-batches.

    Shafahi et al., "Universal adversarial training", AAAI 2020, equation 5; Mummadi et al., ICCV 2019.

    Args:
        rate: the step as a share of the radius; 0.1 is the papers' 1/255 of 10/255.
        bf16: see ``FirstOrder``.
        budget, batch_size, interval, delta: see ``Crafter``.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(network, images, method=uap_core.SPGD(budget=64))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "spgd"
    rate: float = 0.1
    loss = staticmethod(clipped_cross_entropy)

    def step(self, problem: Problem, state: State) -> None:
        """One sign step, then clip (eq. 5 of Shafahi et al. and the lines below it)."""
        gradient = self.batch_gradient(problem, state, state.pattern)
        move = steepest(problem.ball, gradient, self.rate * problem.ball.radius)
        state.pattern = problem.ball.project(state.pattern - move)
