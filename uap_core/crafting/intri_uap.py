r"""A pattern from the singular vectors of the layers, without any picture and without any loss of the network.

The Lipschitz bound of a network multiplies the largest singular values of its layers: how far each can stretch a change. The
direction that they stretch most is a universal perturbation in itself (IntriUAP, AAAI 2025). With A_l the network up to its
l-th linear layer, linearised at a middle grey picture, this maximises

    sum_l log ||A_l v||_2     over ||v||_2 = 1,     l = 1 .. half of the layers,

by the power iteration v <- sum_l A_l^T A_l v / ||A_l v||^2, then normalised: of one layer it is the right singular vector of
the largest singular value. A_l v is a Jacobian-vector product and A_l^T s a vector-Jacobian product. In l_inf the pattern is
epsilon times the signs of v. The paper aligns the input of each layer with that layer's own vector; taking the layers before it
along is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.func import jvp, vjp

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.base import Crafter
from uap_core.crafting.menu import register_method, with_targets
from uap_core.crafting.problem import Problem
from uap_core.crafting.state import State
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier
from uap_core.models.layer_outputs import layer_outputs
from uap_core.norms import Ball

SETTLED = 1e-6  # a turn of the direction below which the iteration is over, as 1 - |cosine|


@register_method(
    "intrinsic",
    "IntriUAP",
    "after IntriUAP, AAAI 2025",
    "The direction that the layers stretch most, by the power method: no pictures, no labels, no loss.",
    place=100,
    targets=False,
    needs_images=False,
    colour="#882255",
    marker="d",
)
@dataclass(frozen=True, kw_only=True)
class Intrinsic(Crafter):
    """Craft without pictures: find the direction that the linear layers stretch most (see the module).

    One step is one power iteration; its JVP and its VJP count as an image-gradient each. The run ends once the direction no
    longer turns, which takes some dozens.

    Args:
        depth: share of the layers that count, from the first.
        budget, batch_size, interval, delta: see ``Crafter``; there is one picture in a batch, a grey one.

    Raises:
        SettingError: a setting out of its range.

    Example:
        >>> import uap_core
        >>> v = uap_core.craft(uap_core.load_model("resnet64"), method=uap_core.Intrinsic(budget=8))
        >>> v.norms.linf <= 10 / 255 + 1e-6, v.provenance["craft_set"]
        (True, 'no images')
    """

    key: ClassVar[str] = "intrinsic"
    needs_images: ClassVar[bool] = False
    batch_size: int = 1
    depth: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.depth <= 1:
            raise SettingError("The depth is a share of the layers: above 0, up to 1.")

    def check(self, networks: tuple[Classifier, ...], ball: Ball, criterion: Criterion, ensemble: str) -> None:
        """There is no targeted form, and one network has one direction."""
        if criterion.targeted:
            raise SettingError(f"The intrinsic method has no target: it knows no classes. Choose one of: {with_targets()}.")
        if len(networks) != 1:
            raise SettingError("The intrinsic method takes one network: layers of several networks cannot be combined.")

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """Start from a random direction, almost surely not orthogonal to the solution."""
        state = State(torch.zeros(3, *problem.shape, device=problem.device), generator)
        self._turn(problem, state, torch.randn(3, *problem.shape, generator=generator).to(problem.device))
        state.memory["settled"] = torch.tensor(False)
        return state

    def share(self, problem: Problem, state: State) -> float:
        """See ``Crafter.share``: a direction that no longer turns is the end."""
        return 1.0 if state.memory["settled"] else min(1.0, super().share(problem, state))

    def step(self, problem: Problem, state: State) -> None:
        """One power iteration: forth through the layers, and back."""
        v = state.memory["direction"]
        grey = torch.full((1, *v.shape), 0.5, device=v.device)

        def layers(change: Tensor) -> tuple[Tensor, ...]:
            outputs = layer_outputs(problem.networks[0], grey + change)
            return tuple(outputs[: max(1, round(self.depth * len(outputs)))])

        with torch.no_grad():
            forths: tuple[Tensor, ...] = jvp(layers, (torch.zeros_like(v),), (v,))[1]
        pull = vjp(layers, torch.zeros_like(v))[1]
        (back,) = pull(tuple(forth / forth.square().sum().clamp_min(1e-30) for forth in forths))
        self._turn(problem, state, back.detach())
        state.memory["settled"] = (1 - (v * state.memory["direction"]).sum().abs() < SETTLED).cpu()
        state.image_gradients += 2

    def _turn(self, problem: Problem, state: State, direction: Tensor) -> None:
        """Keep ``direction``, of length 1, and the pattern that it is in the ball."""
        state.memory["direction"] = direction / direction.norm().clamp_min(1e-30)
        state.pattern = problem.ball.fill(direction)
