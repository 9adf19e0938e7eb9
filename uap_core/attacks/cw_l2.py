"""Carlini & Wagner's l2 attack: minimise the distance plus c times a hinge on the logits, and search for the least c.

    minimise ||x' - x||_2^2 + c f(x')    with x' = (tanh(w) + 1) / 2, so that x' stays in [0,1] for every w,
    f(x') = max(max_{j != t} Z_j(x') - Z_t(x'), -kappa)    towards a target t,
    f(x') = max(Z_y(x') - max_{j != y} Z_j(x'), -kappa)    away from a label y

``CarliniWagner.perturb`` searches for c, ``TanhPicture`` is x' from w, ``AdamPerImage`` descends on w.

Carlini & Wagner, "Towards evaluating the robustness of neural networks", IEEE S&P 2017, sections IV to VI.A.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.base import Attack, check_counts
from uap_core.attacks.criterion import own_and_best_other
from uap_core.attacks.first_c import linear_guess
from uap_core.attacks.menu import register_attack
from uap_core.attacks.pixels import as_column, l2_norm, squared_l2
from uap_core.attacks.run import NEVER, AttackRun
from uap_core.checks import check_number
from uap_core.errors import SettingError

INSIDE, PAPERS_INSIDE = 0.95, 0.999999  # s of ``TanhPicture``, shifted and as in the authors' code
BETAS = (0.9, 0.999)  # of Adam
GAIN = 1e-4  # less than this share of the objective is no improvement
LAST = 0.05  # the last step of a rate that falls, as a share of the first


@register_attack(
    "carlini-wagner",
    "Carlini & Wagner l2",
    "Carlini & Wagner, 2017",
    norm="l2",
    bounded=False,
    place=110,
    chosen=True,
    build=lambda wanted: CarliniWagner(search_steps=3 * wanted.more, iterations=15 * wanted.more),
)
@dataclass(frozen=True)
class CarliniWagner(Attack):
    """Minimise the l2 distance plus c times a hinge on the logits, for the least c that works.

    Carlini & Wagner, "Towards evaluating the robustness of neural networks", IEEE S&P 2017, section VI.A. ``paper()`` has the
    authors' settings, at most 90 000 gradients an image. The defaults take at most 241: c and the learning rate start at what a
    linear network would need, each c starts where the last one ended, and an image stops when its objective stalls.

    Args:
        search_steps: values of c in the binary search.
        iterations: steps of Adam for each at most, a gradient each.
        confidence: kappa, in logits: how far beyond the boundary a success must be.
        initial_const: the first c; None for what a linear network would need.
        learning_rate: of Adam, constant; None for what a linear network would need, falling along a cosine.
        warm_start: whether each c starts from where the last one ended, else from the image.
        patience: share of the iterations without a gain after which an image is done with a c; 1 for never.
        shifted_tanh: take x' = x + (tanh(w) - tanh(w_0)) / 2, clamped, which is exactly x at the start w_0 and can move black
            and white pixels; else the paper's (tanh(w) + 1) / 2.

    Raises:
        SettingError: a count below 1, a negative confidence, or a constant, rate or share that is not positive.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=2).images()
        >>> result = uap_core.attack(network, x, method=uap_core.CarliniWagner(2, 20))
        >>> bool(result.success.all())
        True
    """

    key: ClassVar[str] = "carlini_wagner"
    search_steps: int = 4
    iterations: int = 60
    confidence: float = 0.0
    initial_const: float | None = None
    learning_rate: float | None = None
    warm_start: bool = True
    patience: float = 0.25
    shifted_tanh: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(search_steps=self.search_steps, iterations=self.iterations)
        check_number("confidence", self.confidence, least=0)
        if not all(value is None or value > 0 for value in (self.initial_const, self.learning_rate, self.patience)):
            raise SettingError("The initial constant, the learning rate and the patience must be above 0.")

    @classmethod
    def paper(cls) -> CarliniWagner:
        """The paper's settings, as in its authors' code (github.com/carlini/nn_robust_attacks, l2_attack.py), which may also
        end a descent early."""
        return cls(
            search_steps=9,
            iterations=10_000,
            confidence=0.0,
            initial_const=1e-3,
            learning_rate=1e-2,
            warm_start=False,
            patience=1.0,
            shifted_tanh=False,
        )

    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float]:
        """Descend on the objective for one c after another; ``run.images`` are x (N,3,H,W), ``which`` (n,) those not done."""
        x, kappa = run.images, self.confidence

        def f(Z: Tensor, which: Tensor) -> Tensor:
            Z_t, Z_other = own_and_best_other(Z, run.criterion.y[which])  # Z_t, or Z_y, and max_{j != t} Z_j
            gap = Z_other - Z_t if run.criterion.targeted else Z_t - Z_other
            return gap.clamp_min(-kappa)

        c, rate = self._start(run, f)
        lower, upper = torch.zeros_like(c), torch.full_like(c, math.inf)  # the largest c that failed, the least that worked
        picture = TanhPicture(x, self.shifted_tanh)  # x' from w

        def objective(change: Tensor, Z: Tensor, which: Tensor) -> Tensor:  # ||x' - x||_2^2 + c f(x')
            return squared_l2(change) + c[which] * f(Z, which)

        adam = AdamPerImage(run, picture.start.clone(), picture, rate, anneal=self.learning_rate is None)
        patience = patience_of(self.iterations, self.patience)
        for number in range(self.search_steps):
            if not self.warm_start:
                adam.variable = picture.start.clone()
            # Of all x' on the way that succeed by kappa, `run` keeps the one of the smallest l2 norm.
            for iteration in adam.minimise(run.all, objective, l2_norm, self.iterations, patience, margin=kappa):
                yield (number + iteration / self.iterations) / self.search_steps
            change = picture(adam.variable, run.all).detach() - x
            run.tried(c, l2_norm(change), adam.found, run.all)
            # A warm start from a success makes `found` true of every c. Learning from `holds` was tried on 48 photographs:
            # the same l2 with these defaults, 0.6 to 0.9 % more with 3 x 15 iterations, 0.1 to 0.2 % less with 9 x 60.
            worked = adam.found
            lower, upper = torch.where(worked, lower, lower.maximum(c)), torch.where(worked, upper.minimum(c), upper)
            c = torch.where(upper.isinf(), 10 * c, (lower + upper) / 2)  # times ten until one works, then halve the interval

    def _start(self, run: AttackRun, f: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """The first c and the learning rate, (N,) each."""
        ones = run.images.new_ones(len(run.images))
        if self.initial_const is not None and self.learning_rate is not None:
            return self.initial_const * ones, self.learning_rate * ones
        guess = linear_guess(run, f)
        c = guess.constant if self.initial_const is None else self.initial_const * ones
        return c, guess.rate(run.images) if self.learning_rate is None else self.learning_rate * ones


class TanhPicture:
    """x' from w: x + (tanh(w) - tanh(w_0)) / 2 clamped to [0,1], or the paper's (tanh(w) + 1) / 2 when not ``shifted``.

    At its ends tanh has no slope, so w_0 = atanh(s (2x - 1)) with s < 1. The paper's form then starts from a picture with a
    contrast of s, so s must be all but 1, and black and white pixels hardly move; the shifted form starts from x itself.
    """

    def __init__(self, images: Tensor, shifted: bool = True) -> None:
        self.images, self.shifted = images, shifted
        self.start = torch.atanh((images * 2 - 1) * (INSIDE if shifted else PAPERS_INSIDE))
        self.origin = torch.tanh(self.start)

    def __call__(self, w: Tensor, which: Tensor) -> Tensor:
        """Rows ``w`` (n,3,H,W) of the images ``which`` as pictures."""
        if not self.shifted:
            return (torch.tanh(w) + 1) / 2
        return (self.images[which] + (torch.tanh(w) - self.origin[which]) / 2).clamp(0, 1)


class AdamPerImage:
    """Adam (Kingma & Ba, ICLR 2015) on a variable w, with separate state and early stopping for each image.

    ``found`` (N,) says where the last ``minimise`` succeeded, ``holds`` (N,) where it still did at its end: in the last
    ``patience`` iterations, since near a boundary it goes to and fro. ``found`` is so at once where it starts from a success.

    Args:
        run: the images, and where successes go.
        variable: w at the start (N,3,H,W).
        picture: rows of w (n,3,H,W), and which images they are, to images x' in [0,1].
        rate: learning rate (N,).
        anneal: let the rate fall along a cosine: steps of constant size would jump across the boundary, to and fro.
    """

    def __init__(
        self,
        run: AttackRun,
        variable: Tensor,
        picture: Callable[[Tensor, Tensor], Tensor],
        rate: Tensor,
        anneal: bool = True,
    ) -> None:
        self.run, self.variable, self.picture, self.rate, self.anneal = run, variable, picture, rate, anneal
        self.found, self.holds = torch.zeros_like(run.success), torch.zeros_like(run.success)

    def minimise(
        self,
        which: Tensor,
        objective: Callable[[Tensor, Tensor, Tensor], Tensor],
        size: Callable[[Tensor], Tensor],
        iterations: int,
        patience: int,
        margin: float = 0.0,
    ) -> Iterator[int]:
        """Minimise ``objective`` for the images ``which``; yields the number of each iteration.

        ``objective`` takes changes x' - x (n,3,H,W), logits (n,K) and which images they are of, and returns (n,). ``size`` is
        the norm (n,) by which successes are compared, beyond the boundary by ``margin``. An image whose objective has not
        fallen for ``patience`` iterations is done.
        """
        run = self.run
        self.found[which] = False
        images, w = run.images[which], self.variable[which]
        rate = as_column(self.rate[which], w)
        mean, square = torch.zeros_like(w), torch.zeros_like(w)
        lowest, waited = w.new_full((len(w),), NEVER), torch.zeros_like(which)
        missed = torch.full_like(which, patience)  # iterations since the last success
        for iteration in range(1, iterations + 1):
            w = w.detach().requires_grad_(True)
            x = self.picture(w, which)
            change, logits = x - images, run.logits(x, which)
            value = objective(change, logits, which)
            gradient = run.gradient(value, w, which)
            success = run.offer(x.detach(), logits.detach(), size(change.detach()), which, margin)
            missed = torch.where(success, 0, missed + 1)
            self.found[which] |= success
            self.holds[which] = missed < patience
            w, value = w.detach(), value.detach()
            mean.lerp_(gradient, 1 - BETAS[0])
            square.lerp_(gradient.square(), 1 - BETAS[1])
            scale = (square / (1 - BETAS[1] ** iteration)).sqrt_().add_(1e-8)
            cosine = (1 + math.cos(math.pi * (iteration - 1) / iterations)) / 2
            step = rate * (LAST + (1 - LAST) * cosine if self.anneal else 1)
            w = w - step / (1 - BETAS[0] ** iteration) * mean / scale
            better = value < lowest - GAIN * lowest.abs()
            lowest, waited = torch.where(better, value, lowest), torch.where(better, 0, waited + 1)
            left = waited < patience
            if not bool(left.all()):
                self.variable[which[~left]] = w[~left]
                which, images, w, mean, square = which[left], images[left], w[left], mean[left], square[left]
                rate, lowest, waited, missed = rate[left], lowest[left], waited[left], missed[left]
            yield iteration
            if not len(which):
                return
        self.variable[which] = w


def patience_of(iterations: int, share: float = 0.25) -> int:
    """Iterations without a gain after which an image is done."""
    return max(5, int(share * iterations))
