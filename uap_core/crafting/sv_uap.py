"""SV-UAP (Khrulkov & Oseledets, CVPR 2018): the pattern that moves a hidden layer most, by the power method.

With J_i the Jacobian of the layer at image x_i, maximise sum_i ||J_i v||_q^q over ||v||_p = 1: a (p,q) singular vector of the
stacked J_i. Power iteration (Boyd, 1974), with psi_r(z) = sign(z) |z|^(r-1) and 1/p + 1/p' = 1:

    v <- psi_{p'}( sum_i J_i^T psi_q(J_i v) ), then normalised.

J_i v is a Jacobian-vector product, J_i^T s a vector-Jacobian product: J itself is never formed. No loss, no labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.func import jvp, vjp

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.base import Crafter
from uap_core.crafting.distributed import all_max, all_sum, my_share
from uap_core.crafting.menu import register_method, with_targets
from uap_core.crafting.problem import Problem
from uap_core.crafting.state import State
from uap_core.errors import SettingError
from uap_core.images.eight_bits import from_bytes
from uap_core.models.classifier import Classifier
from uap_core.models.features import features_at
from uap_core.norms import Ball

CHUNK = 16


@register_method(
    "singular",
    "SV-UAP",
    "Khrulkov & Oseledets, CVPR 2018",
    "The direction that moves a hidden layer most, by the power method: no loss, no labels.",
    place=80,
    targets=False,
    colour="#56B4E9",
    marker="X",
)
@dataclass(frozen=True, kw_only=True)
class Singular(Crafter):
    """Craft SV-UAP: find the direction that moves a hidden layer most, by the power method. No loss, no labels, no target.

    Khrulkov & Oseledets, "Art of singular vectors and universal adversarial perturbations", CVPR 2018, Algorithm 1. One step is
    one power iteration over ``batch_size`` images, the same ones every time; a JVP and a VJP of one image count as an
    image-gradient each.

    Args:
        stride: the layer is the last one whose feature maps have at least 1/``stride`` of the input's sides.
        q: of the norm on the layer's features; the paper's is 10.
        budget, batch_size, interval, delta: see ``Crafter``.

    Raises:
        SettingError: ``stride`` is below 1, or ``q`` not above 1.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(network, images, method=uap_core.Singular(budget=64, batch_size=16))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "singular"
    batch_size: int = 64
    stride: int = 4
    q: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride < 1 or self.q <= 1:
            raise SettingError("The singular method needs a stride of at least 1 and a q above 1.")

    def check(self, networks: tuple[Classifier, ...], ball: Ball, criterion: Criterion, ensemble: str) -> None:
        """There is no targeted form, and one network has one layer."""
        if criterion.targeted:
            raise SettingError(f"The singular method has no target: it knows no classes. Choose one of: {with_targets()}.")
        if len(networks) != 1:
            raise SettingError("The singular method takes one network: layers of several networks cannot be combined.")

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """Start from random signs, almost surely not orthogonal to the solution; choose the images once."""
        state = State(problem.random_signs(generator), generator)
        state.memory["chosen"] = state.next_batch(len(problem.images), self.batch_size)
        return state

    def step(self, problem: Problem, state: State) -> None:
        """One power iteration: forth through the layer, and back."""
        layer = features_at(problem.networks[0], self.stride, problem.shape)
        v = state.pattern / state.pattern.norm().clamp_min(1e-30)
        chosen = state.memory["chosen"].cpu()
        parts = [from_bytes(problem.images[part].to(v.device)) for part in my_share(chosen).split(CHUNK) if len(part)]
        forths = [self._forth(layer, part, v) for part in parts]
        # Powers of q - 1 leave what float32 can hold unless the largest value is 1; psi only scales with it.
        scale = all_max(torch.stack([v.new_zeros(()), *(forth.abs().max() for forth in forths)]).max())
        direction = torch.zeros_like(v)
        for part, forth in zip(parts, forths, strict=True):
            forth = forth / scale.clamp_min(1e-30)
            direction += self._back(layer, part, forth.sign() * forth.abs() ** (self.q - 1))
        state.pattern = problem.ball.fill(all_sum(direction))
        state.image_gradients += 2 * len(chosen)

    def _forth(self, layer: Callable[[Tensor], Tensor], images: Tensor, v: Tensor) -> Tensor:
        """J_i v for each of ``images`` (n,3,H,W): how its features move with v."""
        with torch.no_grad():
            moved: Tensor = jvp(lambda u: layer(images + u), (torch.zeros_like(v),), (v,))[1]
        return moved

    def _back(self, layer: Callable[[Tensor], Tensor], images: Tensor, weights: Tensor) -> Tensor:
        """sum_i J_i^T s_i over ``images``, s_i in ``weights``, like their features."""
        pull = vjp(lambda u: layer(images + u), torch.zeros_like(images[0]))[1]
        pulled: Tensor = pull(weights)[0]
        return pulled.detach()  # a wrapped module's weights may want gradients
