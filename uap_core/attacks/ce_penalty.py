"""Targeted attack with a cross-entropy penalty: min ||x' - x||_2^2 + c L(x', t), x' in [0,1], for the least c that works.

The cross-entropy L with the target is never zero, so it keeps pulling beyond the boundary, which a hinge does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.attacks.base import Attack, check_counts
from uap_core.attacks.cw_l2 import AdamPerImage
from uap_core.attacks.first_c import boundary_guess
from uap_core.attacks.least_c import ScaleSearch, search
from uap_core.attacks.menu import register_attack
from uap_core.attacks.pixels import l2_norm, squared_l2
from uap_core.attacks.run import AttackRun


@register_attack(
    "penalty",
    "Penalty, cross-entropy",
    "after Szegedy et al., 2014",
    norm="l2",
    bounded=False,
    place=90,
    short_name="Penalty",
    build=lambda wanted: Penalty(search_steps=6 * wanted.more, iterations=30 * wanted.more),
)
@dataclass(frozen=True)
class Penalty(Attack):
    """Minimise ||x' - x||_2^2 + c L(x', t), x' in [0,1], for the least c that works. Targeted only.

    L is the cross-entropy with the target: Szegedy's relaxation (ICLR 2014, section 4.1) with Adam in place of L-BFGS.

    Args:
        search_steps: values of c.
        iterations: steps of Adam for each at most, a gradient each.

    Raises:
        SettingError: a number below 1.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=2).images()
        >>> result = uap_core.attack(network, x, method=uap_core.Penalty(2, 20), target=3)
        >>> bool(result.success.any())
        True
    """

    key: ClassVar[str] = "penalty"
    targeted_only: ClassVar[bool] = True

    search_steps: int = 4
    iterations: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(search_steps=self.search_steps, iterations=self.iterations)

    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.perturb``."""

        def penalty(logits: Tensor, which: Tensor) -> Tensor:
            return F.cross_entropy(logits, run.criterion.y[which], reduction="none")

        guess = boundary_guess(run, penalty)
        adam = AdamPerImage(run, run.images.clone(), lambda w, _: w.clamp(0, 1), guess.rate(run.images))
        yield from search(adam, ScaleSearch(guess.constant), squared_l2, penalty, l2_norm, self.search_steps, self.iterations)
