"""Carlini & Wagner l_0 (IEEE S&P 2017, section VI.B): attack in l2, fix the pixels that matter least, attack with the rest.

What a pixel matters is |gradient . change| at the attacked picture, over its three colours together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.base import Attack, check_counts, check_positive
from uap_core.attacks.cw_l2 import AdamPerImage, TanhPicture, patience_of
from uap_core.attacks.first_c import linear_guess
from uap_core.attacks.menu import register_attack
from uap_core.attacks.pixels import squared_l2
from uap_core.attacks.run import AttackRun


@register_attack(
    "carlini-wagner-l0",
    "Carlini & Wagner l_0",
    "Carlini & Wagner, 2017",
    norm="l0",
    bounded=False,
    place=130,
    build=lambda wanted: CarliniWagnerL0(iterations=15 * wanted.effort),
)
@dataclass(frozen=True)
class CarliniWagnerL0(Attack):
    """Change few pixels: attack in l2, fix the pixels that matter least, attack with the rest, and so on.

    Carlini & Wagner, IEEE S&P 2017, section VI.B. A round that brings nothing is tried again with ten times the constant; two
    of them in a row end the search for an image.

    Args:
        rounds: of fixing pixels, at most.
        iterations: steps of Adam in each at most, a gradient each.
        share: of the pixels that still move, fixed after each success.
        rate: size of Adam's first step.

    Raises:
        SettingError: no rounds or iterations.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=2).images()
        >>> result = uap_core.attack(network, x, method=uap_core.CarliniWagnerL0(4, 15))
        >>> bool(result.success.all())
        True
    """

    key: ClassVar[str] = "carlini_wagner_l0"
    rounds: int = 24
    iterations: int = 30
    share: float = 0.3
    rate: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(rounds=self.rounds, iterations=self.iterations)
        check_positive(rate=self.rate)
        check_positive(1, share=self.share)

    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.perturb``."""
        free = torch.ones_like(run.images[:, :1], dtype=torch.bool)

        def penalty(logits: Tensor, which: Tensor) -> Tensor:
            return run.criterion.of(which).gap(logits).clamp_min(0)

        c = linear_guess(run, penalty).constant
        picture = TanhPicture(run.images)
        rate = run.images.new_full((len(run.images),), self.rate)

        def with_free_pixels(w: Tensor, which: Tensor) -> Tensor:
            return picture(w, which).where(free[which], run.images[which])

        adam = AdamPerImage(run, picture.start.clone(), with_free_pixels, rate)

        def objective(change: Tensor, logits: Tensor, which: Tensor) -> Tensor:
            return squared_l2(change) + c[which] * penalty(logits, which)

        failures = torch.zeros_like(run.all)
        for number in range(self.rounds):
            which = run.all[failures < 2]
            if not len(which):
                return
            nearest = run.closest.clone()
            for iteration in adam.minimise(which, objective, pixels_then_l2, self.iterations, patience_of(self.iterations)):
                yield (number + iteration / self.iterations) / self.rounds
            worked, nearer = adam.found[which], run.comes_nearer(nearest)[which]  # one pixel may have far to go
            failures[which] = torch.where(worked | nearer, 0, failures[which] + 1)
            c[which[~(worked | nearer)]] *= 10
            if bool(worked.any()):
                self._fix_the_least(run, free, which[worked])

    def _fix_the_least(self, run: AttackRun, free: Tensor, which: Tensor) -> None:
        """Fix, for the images ``which``, all pixels that did not move and the ``share`` of the others that matter least."""
        x = run.adversarial[which].requires_grad_(True)
        gradient = run.gradient(run.criterion.of(which).gap(run.logits(x, which)), x, which)
        change = x.detach() - run.images[which]
        matters = (gradient * change).sum(dim=1).abs().flatten(1)
        matters = matters.masked_fill(~(change != 0).any(dim=1).flatten(1), -1.0)
        moved = (matters >= 0).sum(dim=1)
        kept = ((1 - self.share) * moved).long().clamp_min(1)
        order = matters.argsort(dim=1, descending=True).argsort(dim=1)
        free[which] = (order < kept[:, None]).view_as(free[which])


def pixels_then_l2(change: Tensor) -> Tensor:
    """The number of pixels changed (n,), and by less than one between equal numbers the l2 norm."""
    pixels = (change != 0).any(dim=1).flatten(1).sum(dim=1)
    return pixels + change.flatten(1).norm(dim=1) / 1000
