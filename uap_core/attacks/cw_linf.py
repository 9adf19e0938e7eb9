"""Carlini & Wagner l_inf (IEEE S&P 2017, section VI.C): lower a bound tau on all pixels while the attack succeeds.

minimise c * max(max_{j != t} Z_j - Z_t, -kappa) + sum_i (|x'_i - x_i| - tau)^+. The largest change alone would have a slope at
one pixel only; this one pushes all that stick out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.base import Attack, check_counts, check_positive
from uap_core.attacks.cw_l2 import AdamPerImage, TanhPicture, patience_of
from uap_core.attacks.menu import register_attack
from uap_core.attacks.pixels import as_column, linf_norm
from uap_core.attacks.run import AttackRun
from uap_core.checks import check_number

FAILURES = 2  # in a row, and an image has found its bound


@register_attack(
    "carlini-wagner-linf",
    "Carlini & Wagner l_inf",
    "Carlini & Wagner, 2017",
    norm="linf",
    bounded=False,
    place=120,
    build=lambda wanted: CarliniWagnerLinf(rounds=10 * wanted.effort),
)
@dataclass(frozen=True)
class CarliniWagnerLinf(Attack):
    """Lower a bound tau on all pixels while the attack succeeds: Carlini & Wagner in l_inf.

    Carlini & Wagner, IEEE S&P 2017, section VI.C. After a round that works tau becomes ``shrink`` times the largest change;
    after one that brings nothing c is multiplied by ten.

    Args:
        rounds: values of tau at most.
        iterations: steps of Adam for each at most, a gradient each.
        shrink: of tau after a success, as a share.
        first_constant: c of the first round.
        confidence: kappa, in logits.
        rate: size of Adam's first step.

    Raises:
        SettingError: no rounds or iterations.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=2).images()
        >>> result = uap_core.attack(network, x, method=uap_core.CarliniWagnerLinf(6, 10))
        >>> bool(result.success.all())
        True
    """

    key: ClassVar[str] = "carlini_wagner_linf"
    rounds: int = 20
    iterations: int = 20
    shrink: float = 0.8
    first_constant: float = 0.1
    confidence: float = 0.0
    rate: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(rounds=self.rounds, iterations=self.iterations)
        check_positive(rate=self.rate, first_constant=self.first_constant)
        check_positive(1, shrink=self.shrink)
        check_number("confidence", self.confidence, least=0)

    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.perturb``."""
        count = len(run.images)
        tau = run.images.new_ones(count)
        constant = run.images.new_full((count,), self.first_constant)
        failures = torch.zeros_like(run.all)
        picture = TanhPicture(run.images)
        rate = run.images.new_full((count,), self.rate)
        adam = AdamPerImage(run, picture.start.clone(), picture, rate)

        def objective(change: Tensor, logits: Tensor, which: Tensor) -> Tensor:
            beyond = (change.abs() - as_column(tau[which], change)).clamp_min(0).flatten(1).sum(dim=1)
            return constant[which] * run.criterion.of(which).gap(logits).clamp_min(-self.confidence) + beyond

        patience = patience_of(self.iterations)
        for number in range(self.rounds):
            which = run.all[failures < FAILURES]
            if not len(which):
                return
            before, nearest = run.size.clone(), run.closest.clone()
            for iteration in adam.minimise(which, objective, linf_norm, self.iterations, patience, self.confidence):
                yield (number + iteration / self.iterations) / self.rounds
            better = run.size < before
            nearer = run.comes_nearer(nearest)  # black and white pixels take many rounds to start
            failures = torch.where(better | nearer, 0, failures + 1)
            tau = torch.where(better, self.shrink * run.size, tau)
            constant = torch.where(better | nearer, constant, constant * 10)
