"""The general Carlini & Wagner objective: min ||d||_p + c * (max_{j != t} F_j(x + d) - F_t(x + d))^+, any p, F probabilities or
logits.

Unlike in ``cw_l2`` the norm is not squared, and the scores may be probabilities. Both have a price: the
norm has no slope of its own near zero and pulls as hard near the picture as far from it; and where a network is sure, its
probabilities hardly move.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.base import Attack, check_counts
from uap_core.attacks.cw_l2 import AdamPerImage
from uap_core.attacks.first_c import price_guess
from uap_core.attacks.least_c import ScaleSearch, search
from uap_core.attacks.menu import register_attack
from uap_core.attacks.run import AttackRun
from uap_core.checks import check_fields
from uap_core.errors import SettingError


@register_attack(
    "hinge",
    "Hinge on probabilities",
    "after Carlini & Wagner, 2017",
    norm="l2",
    bounded=False,
    place=100,
    any_norm=True,
    build=lambda wanted: Hinge(wanted.p, search_steps=6 * wanted.more, iterations=30 * wanted.more),
)
@dataclass(frozen=True)
class Hinge(Attack):
    """Minimise ||d||_p + c max(max_{j != t} F_j(x + d) - F_t(x + d), 0) for the least c that works, in any norm.

    The general form of Carlini & Wagner's objective (IEEE S&P 2017, section IV.A), F probabilities or logits.

    Args:
        p: of the norm, from 1 to ``math.inf``.
        on_probabilities: F are probabilities, else logits.
        search_steps: values of c.
        iterations: steps of Adam for each at most, a gradient each.

    Raises:
        SettingError: a number below 1.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=2).images()
        >>> result = uap_core.attack(network, x, method=uap_core.Hinge(search_steps=2, iterations=20))
        >>> bool(result.success.any())
        True
    """

    key: ClassVar[str] = "hinge"
    p: float = 2.0
    on_probabilities: bool = True
    search_steps: int = 4
    iterations: int = 60

    def __post_init__(self) -> None:
        check_fields(self, infinite=("p",))
        check_counts(search_steps=self.search_steps, iterations=self.iterations)
        if not self.p >= 1:
            raise SettingError("A norm has p from 1 to infinity.")

    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.perturb``."""

        def penalty(logits: Tensor, which: Tensor) -> Tensor:
            scores = logits.softmax(dim=1) if self.on_probabilities else logits
            return run.criterion.of(which).gap(scores).clamp_min(0)

        dual = math.inf if self.p == 1 else 1.0 if math.isinf(self.p) else self.p / (self.p - 1)
        guess = price_guess(run, penalty, dual)
        adam = AdamPerImage(run, run.images.clone(), lambda w, _: w.clamp(0, 1), guess.rate(run.images))
        yield from search(
            adam, ScaleSearch(guess.constant), self._norm, penalty, self._norm, self.search_steps, self.iterations
        )

    def _norm(self, change: Tensor) -> Tensor:
        return torch.linalg.vector_norm(change.flatten(1), ord=self.p, dim=1)
