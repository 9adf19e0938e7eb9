"""The project's method against a detector of low entropy: an adaptive attack that keeps the entropy up.

A defence must be evaluated with attacks that know it (Carlini & Wagner, "Adversarial examples are not easily detected", AISec
2017): they add a term for the detector to the attack's loss. Here that term is a second gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.default import Default
from uap_core.crafting.distributed import rank_and_size
from uap_core.crafting.problem import MEASURE_BATCH, Problem
from uap_core.crafting.random_views import seen
from uap_core.crafting.state import State
from uap_core.errors import SettingError
from uap_core.images.eight_bits import from_bytes
from uap_core.models.classifier import Classifier
from uap_core.models.feature_entropy import deep_entropy
from uap_core.models.gradients import input_gradient
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import apply


@dataclass(frozen=True, kw_only=True)
class Unnoticed(Default):
    """Craft as ``Default`` does, for a detector of low entropy that must not notice it. One network, one process.

    While images of a batch are below the median entropy of the clean craft images, each step follows two directions of equal
    length: that of ``Default``, and the one that raises the entropy to that median. Both gradients of an image are counted.
    After Carlini & Wagner, AISec 2017; the detector is that of Sun et al., ICLR 2025.

    Args:
        rate, start, shrinking, smallest_view, tiles: see ``Default``.
        bf16: see ``FirstOrder``.
        budget, batch_size, interval, delta: see ``Crafter``.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(network, images, method=uap_core.Unnoticed(budget=64))
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "unnoticed"

    @property
    def steps(self) -> int:
        """Half as many as ``default`` takes for the same budget."""
        return max(1, self.budget // (2 * self.batch_size))

    def check(self, networks: tuple[Classifier, ...], ball: Ball, criterion: Criterion, ensemble: str) -> None:
        """One network has one detector, and one process crafts."""
        super().check(networks, ball, criterion, ensemble)
        if len(networks) != 1 or rank_and_size()[1] > 1:
            raise SettingError("A pattern that knows the detector is crafted on one network, by one process.")

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """As ``default``, and what the entropy of clean images is."""
        state = super().begin(problem, generator)
        with torch.no_grad():
            parts = (from_bytes(part.to(problem.device)) for part in problem.images.split(MEASURE_BATCH))
            state.memory["usual"] = torch.cat([deep_entropy(problem.networks[0], part) for part in parts]).median()
        return state

    def counted_gradient(self, problem: Problem, state: State, batch: Tensor, v: Tensor) -> Tensor:
        """The sum of the two directions at ``v`` on the images of ``batch`` (indices)."""
        # Both see the same views, which are drawn from the state's generator.
        before = state.generator.get_state()
        fooling = super().counted_gradient(problem, state, batch, v)
        state.generator.set_state(before)
        images = seen(from_bytes(problem.images[batch].to(v.device)), self.views(batch, state))
        noticing = _too_low(problem.networks[0], images, v, state.memory["usual"])
        state.image_gradients += len(batch)
        return _unit(fooling) + _unit(noticing)


def _too_low(network: Classifier, images: Tensor, v: Tensor, usual: Tensor) -> Tensor:
    """Gradient on ``v`` (3,H,W) of how far the entropies of the perturbed ``images`` (n,3,H,W) are below ``usual``."""
    with torch.enable_grad():
        v = v.detach().requires_grad_(True)
        missing = (usual - deep_entropy(network, apply(images, v))).clamp_min(0)
        return input_gradient(missing.mean(), v)


def _unit(gradient: Tensor) -> Tensor:
    return gradient / gradient.norm().clamp_min(1e-30)
