"""Minimise a distance plus c times a penalty, image by image: Adam, and the binary search for the least c that works."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.pixels import as_column
from uap_core.attacks.run import AttackRun

BETAS = (0.9, 0.999)
GAIN = 1e-4  # less than this share of the objective is no improvement
NEVER = 1e30
FACTOR = 5.0
RATE = 3.0
LAST = 0.05  # the last step, as a share of the first


class AdamPerImage:
    """Adam (Kingma & Ba, ICLR 2015) on a variable w, with separate state and early stopping for each image.

    ``found`` (N,) says where the last ``minimise`` succeeded.

    Args:
        run: the images, and where successes go.
        variable: w at the start (N,3,H,W).
        picture: rows of w (n,3,H,W), and which images they are, to images x' in [0,1].
        rate: learning rate (N,).
        anneal: let the rate fall along a cosine: at the boundary the penalty switches on and off, and steps of constant size
            would jump across.
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
        self.found = torch.zeros_like(run.success)

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
        images, w, rate = run.images[which], self.variable[which], as_column(self.rate[which])
        mean, square = torch.zeros_like(w), torch.zeros_like(w)
        lowest, waited = w.new_full((len(w),), NEVER), torch.zeros_like(which)
        for iteration in range(1, iterations + 1):
            w = w.detach().requires_grad_(True)
            x = self.picture(w, which)
            change, logits = x - images, run.logits(x, which)
            value = objective(change, logits, which)
            gradient = run.gradient(value, w, which)
            self.found[which] |= run.offer(x.detach(), logits.detach(), size(change.detach()), which, margin)
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
                rate, lowest, waited = rate[left], lowest[left], waited[left]
            yield iteration
            if not len(which):
                return
        self.variable[which] = w


class BinarySearch:
    """Search for the least c that works, for each image: times ten until one works, then halve the interval."""

    def __init__(self, first: Tensor) -> None:
        self.value = first.clone()
        self.lower, self.upper = torch.zeros_like(first), torch.full_like(first, torch.inf)

    def learn(self, found: Tensor, which: Tensor) -> None:
        """Choose the next c for the images ``which``; ``found`` (n,) says whether the present one worked."""
        c, lower, upper = self.value[which], self.lower[which], self.upper[which]
        upper, lower = torch.where(found, torch.minimum(upper, c), upper), torch.where(found, lower, torch.maximum(lower, c))
        self.lower[which], self.upper[which] = lower, upper
        self.value[which] = torch.where(upper.isinf(), c * 10, (lower + upper) / 2)


def search(
    adam: AdamPerImage,
    constants: BinarySearch,
    distance: Callable[[Tensor], Tensor],
    penalty: Callable[[Tensor, Tensor], Tensor],
    size: Callable[[Tensor], Tensor],
    search_steps: int,
    iterations: int,
    margin: float = 0.0,
) -> Iterator[float]:
    """Minimise distance(x' - x) + c penalty(x') for one c after another, each from where the last one ended.

    ``distance`` and ``size`` take changes (n,3,H,W), ``penalty`` logits (n,K) and which images they are of. Yields the share of
    the work that is done.
    """
    everyone = adam.run.all

    def objective(change: Tensor, logits: Tensor, which: Tensor) -> Tensor:
        return distance(change) + constants.value[which] * penalty(logits, which)

    for number in range(search_steps):
        for iteration in adam.minimise(everyone, objective, size, iterations, patience_of(iterations), margin):
            yield (number + iteration / iterations) / search_steps
        constants.learn(adam.found, everyone)


def patience_of(iterations: int) -> int:
    """Iterations without a gain after which an image is done."""
    return max(5, iterations // 4)


def comes_nearer(run: AttackRun, before: Tensor) -> Tensor:
    """Where (N,) nothing has worked yet, but the closest failure is nearer than ``before`` (N,) by at least 1 %."""
    return run.size.isinf() & (run.closest < before - 0.01 * before.abs().clamp_max(NEVER))


@dataclass(frozen=True)
class LinearGuess:
    """Hold what a linear penalty would need: c as ``constant`` (N,), and the l2 ``distance`` (N,) to where it is zero.

    c is taken FACTOR times as large, since overestimating it is cheaper than underestimating it.
    """

    constant: Tensor
    distance: Tensor

    def rate(self, images: Tensor) -> Tensor:
        """Adam's first learning rate (N,): RATE times the root mean square change of a value over that distance."""
        return (RATE * self.distance / math.sqrt(images[0].numel())).clamp(1e-5, 0.03)


def linear_guess(
    run: AttackRun,
    penalty: Callable[[Tensor, Tensor], Tensor],
    multiplier: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> LinearGuess:
    """Linearise ``penalty``, which takes logits (n,K) and which images they are of; costs one gradient an image.

    ``multiplier`` takes the penalty's values (n,) and gradients (n,3,H,W) and returns the c (n,) that the objective needs; by
    default that of the squared l2 norm.
    """
    x = run.images.detach().requires_grad_(True)
    value = penalty(run.logits(x, run.all), run.all)
    gradient = run.gradient(value, x, run.all)
    constant = (multiplier or of_squared_l2)(value.detach(), gradient)
    distance = value.detach().abs() / l2_norm(gradient).clamp_min(1e-12)
    return LinearGuess((FACTOR * constant).nan_to_num(1.0, 1e6, 1e-6).clamp(1e-6, 1e6), distance)


def of_squared_l2(value: Tensor, gradient: Tensor) -> Tensor:
    """c (n,) for which ||d||_2^2 + c (value + gradient . d) is least where the penalty is zero."""
    return 2 * value.abs() / squared_l2(gradient).clamp_min(1e-12)


def l2_norm(change: Tensor) -> Tensor:
    """(n,) of changes (n,3,H,W)."""
    return change.flatten(1).norm(dim=1)


def squared_l2(change: Tensor) -> Tensor:
    """(n,) of changes (n,3,H,W)."""
    return change.flatten(1).square().sum(dim=1)


def linf_norm(change: Tensor) -> Tensor:
    """(n,) of changes (n,3,H,W)."""
    return change.abs().amax(dim=(1, 2, 3))
