"""Adam on one variable an image, each image by itself: what all attacks that minimise a distance plus a penalty share.

The step falls along a cosine: at the boundary the penalty switches on and off, and steps of one size would jump across.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.criterion import as_column
from uap_core.attacks.run import Subject

BETAS = (0.9, 0.999)
GAIN = 1e-4  # less than this share of the objective is no improvement
NEVER = 1e30
FACTOR = 5.0
RATE = 3.0
LAST = 0.05  # the last step, as a share of the first


class Descent:
    """``variable`` (N,3,H,W), from which ``picture`` makes pictures in [0,1]; ``rate`` (N,) is Adam's first step.

    ``picture`` takes rows (n,3,H,W) of the variable and which images they are. ``found`` (N,) says where the last
    ``minimise`` reached the aim.
    """

    def __init__(self, subject: Subject, variable: Tensor, picture: Callable[[Tensor, Tensor], Tensor], rate: Tensor) -> None:
        self.subject, self.variable, self.picture, self.rate = subject, variable, picture, rate
        self.found = torch.zeros_like(subject.success)

    def minimise(
        self,
        which: Tensor,
        objective: Callable[[Tensor, Tensor, Tensor], Tensor],
        size: Callable[[Tensor], Tensor],
        iterations: int,
        patience: int,
        margin: float = 0.0,
    ) -> Iterator[int]:
        """Descend for the images ``which``; yields the iteration's number.

        ``objective`` takes changes (n,3,H,W), logits (n,K) and which images they are of, and returns one number each;
        ``size`` is the norm by which successes are compared. An image whose objective has not fallen for ``patience``
        iterations is done.
        """
        subject = self.subject
        self.found[which] = False
        images, w, rate = subject.images[which], self.variable[which], as_column(self.rate[which])
        mean, square = torch.zeros_like(w), torch.zeros_like(w)
        lowest, waited = w.new_full((len(w),), NEVER), torch.zeros_like(which)
        for iteration in range(1, iterations + 1):
            w = w.detach().requires_grad_(True)
            x = self.picture(w, which)
            change, logits = x - images, subject.logits(x, which)
            value = objective(change, logits, which)
            gradient = subject.gradient(value, w, which)
            self.found[which] |= subject.offer(x.detach(), logits.detach(), size(change.detach()), which, margin)
            w, value = w.detach(), value.detach()
            mean.lerp_(gradient, 1 - BETAS[0])
            square.lerp_(gradient.square(), 1 - BETAS[1])
            scale = (square / (1 - BETAS[1] ** iteration)).sqrt_().add_(1e-8)
            step = rate * (LAST + (1 - LAST) * (1 + math.cos(math.pi * (iteration - 1) / iterations)) / 2)
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


class Constants:
    """The search for the least c that works, for each image: ten times more while it fails, then halving the interval."""

    def __init__(self, first: Tensor) -> None:
        self.value = first.clone()
        self.lower, self.upper = torch.zeros_like(first), torch.full_like(first, torch.inf)

    def learn(self, found: Tensor, which: Tensor) -> None:
        """``found`` (n,): whether the present c worked for the images ``which``; chooses their next."""
        c, lower, upper = self.value[which], self.lower[which], self.upper[which]
        upper, lower = torch.where(found, torch.minimum(upper, c), upper), torch.where(found, lower, torch.maximum(lower, c))
        self.lower[which], self.upper[which] = lower, upper
        self.value[which] = torch.where(upper.isinf(), c * 10, (lower + upper) / 2)


def search(
    descent: Descent,
    constants: Constants,
    distance: Callable[[Tensor], Tensor],
    penalty: Callable[[Tensor, Tensor], Tensor],
    size: Callable[[Tensor], Tensor],
    search_steps: int,
    iterations: int,
    margin: float = 0.0,
) -> Iterator[float]:
    """Minimise distance(x' - x) + c * penalty(x') for one c after another, each from where the last one ended.

    ``distance`` and ``size`` take changes (n,3,H,W), ``penalty`` logits (n,K) and which images they are of. Yields the share
    that is done.
    """
    everybody = descent.subject.all

    def objective(change: Tensor, logits: Tensor, which: Tensor) -> Tensor:
        return distance(change) + constants.value[which] * penalty(logits, which)

    for number in range(search_steps):
        for iteration in descent.minimise(everybody, objective, size, iterations, patience_of(iterations), margin):
            yield (number + iteration / iterations) / search_steps
        constants.learn(descent.found, everybody)


def patience_of(iterations: int) -> int:
    """How many iterations may pass without a gain."""
    return max(5, iterations // 4)


def comes_nearer(subject: Subject, before: Tensor) -> Tensor:
    """Where (N,) nothing works yet, but the closest failure is nearer than ``before`` (N,) by a hundredth at least."""
    return subject.size.isinf() & (subject.closest < before - 0.01 * before.abs().clamp_max(NEVER))


@dataclass(frozen=True)
class LinearGuess:
    """Where to begin: the ``constant`` (N,) before a penalty, and the ``distance`` (N,) in l2 to where it is zero.

    Both as if the penalty were linear, but for a constant FACTOR times as large: a little much costs less than too little.
    """

    constant: Tensor
    distance: Tensor

    def rate(self, images: Tensor) -> Tensor:
        """Adam's first steps (N,): each value moves three times as far as it would have to over that distance."""
        return (RATE * self.distance / math.sqrt(images[0].numel())).clamp(1e-5, 0.03)


def linear_guess(
    subject: Subject,
    penalty: Callable[[Tensor, Tensor], Tensor],
    multiplier: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> LinearGuess:
    """From one gradient an image. ``penalty`` takes logits (n,K) and which images they are of.

    ``multiplier`` takes the penalty's values (n,) and gradients (n,3,H,W) and returns the constant that the objective needs;
    by default that of the squared l2 norm.
    """
    x = subject.images.detach().requires_grad_(True)
    value = penalty(subject.logits(x, subject.all), subject.all)
    gradient = subject.gradient(value, x, subject.all)
    constant = (multiplier or of_squared_l2)(value.detach(), gradient)
    distance = value.detach().abs() / l2_norm(gradient).clamp_min(1e-12)
    return LinearGuess((FACTOR * constant).nan_to_num(1.0, 1e6, 1e-6).clamp(1e-6, 1e6), distance)


def of_squared_l2(value: Tensor, gradient: Tensor) -> Tensor:
    """The least of ||d||_2^2 + c (value + gradient . d) lies where that penalty is zero when c = 2 value / ||gradient||_2^2."""
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
