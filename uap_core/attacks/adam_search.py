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
BEYOND = 2.0  # the same, of guesses that know where the boundary is
RATE = 3.0
LAST = 0.05  # the last step, as a share of the first


class AdamPerImage:
    """Adam (Kingma & Ba, ICLR 2015) on a variable w, with separate state and early stopping for each image.

    ``found`` (N,) says where the last ``minimise`` succeeded, ``holds`` (N,) where it still did at its end: in the last
    ``patience`` iterations, since near a boundary it goes to and fro. ``found`` is so at once where it starts from a success.

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
        self.value[which] = self.between(c, lower, upper)

    def between(self, c: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
        """The next c (n,), after failures up to ``lower`` and successes down to ``upper``."""
        return torch.where(upper.isinf(), c * 10, (lower + upper) / 2)


class ScaleSearch(BinarySearch):
    """Search on a log scale: times or over ten until one works and one fails, then the geometric mean of the two.

    For penalties that pull beyond the boundary, whose change grows with every c that is too large: a first c that is a hundred
    times too large costs two steps here and seven of ``BinarySearch``.
    """

    def between(self, c: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
        """See ``BinarySearch.between``."""
        return torch.where(upper.isinf(), c * 10, torch.where(lower > 0, (lower * upper).sqrt(), c / 10))


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
        change = adam.picture(adam.variable, everyone).detach() - adam.run.images
        adam.run.tried(constants.value, size(change), adam.holds, everyone)
        constants.learn(adam.holds, everyone)
        back = adam.run.success & ~adam.holds  # what failed is nearer than any success, and a bad place to start from
        adam.variable[back] = adam.run.adversarial[back]


def patience_of(iterations: int) -> int:
    """Iterations without a gain after which an image is done."""
    return max(5, iterations // 4)


def comes_nearer(run: AttackRun, before: Tensor) -> Tensor:
    """Where (N,) nothing has worked yet, but the closest failure is nearer than ``before`` (N,) by at least 1 %."""
    return run.size.isinf() & (run.closest < before - 0.01 * before.abs().clamp_max(NEVER))


@dataclass(frozen=True)
class LinearGuess:
    """Hold what a linear penalty would need: c as ``constant`` (N,), and the l2 ``distance`` (N,) to where it is zero.

    c is taken some times as large, since overestimating it is cheaper than underestimating it.
    """

    constant: Tensor
    distance: Tensor

    def rate(self, images: Tensor) -> Tensor:
        """Adam's first learning rate (N,): RATE times the root mean square change of a value over that distance."""
        return (RATE * self.distance / math.sqrt(images[0].numel())).clamp(1e-5, 0.03)


def linear_guess(run: AttackRun, penalty: Callable[[Tensor, Tensor], Tensor]) -> LinearGuess:
    """c for ||d||_2^2 + c penalty, of a ``penalty`` that is linear and zero at the boundary; costs one gradient an image.

    ``penalty`` takes logits (n,K) and which images they are of.
    """
    x = run.images.detach().requires_grad_(True)
    value = penalty(run.logits(x, run.all), run.all)
    gradient = run.gradient(value, x, run.all)
    constant = 2 * value.detach().abs() / squared_l2(gradient).clamp_min(1e-12)
    distance = value.detach().abs() / l2_norm(gradient).clamp_min(1e-12)
    return _guess(FACTOR * constant, distance)


def boundary_guess(run: AttackRun, loss: Callable[[Tensor, Tensor], Tensor]) -> LinearGuess:
    """c for ||d||_2^2 + c loss, of a ``loss`` that is not zero at the boundary; costs two gradients an image.

    It takes a change as far as c ||loss gradient|| / 2, and to the boundary is far enough, BEYOND times as far to be safe.
    """
    x = run.images.detach().requires_grad_(True)
    logits = run.logits(x, run.all)
    gap = run.criterion.gap(logits)
    gradient = torch.autograd.grad(loss(logits, run.all).sum(), x, retain_graph=True)[0]
    distance = gap.detach().abs() / l2_norm(run.gradient(gap, x, run.all)).clamp_min(1e-12)
    run.gradients += 1
    return _guess(BEYOND * 2 * distance / l2_norm(gradient).clamp_min(1e-12), distance)


def price_guess(run: AttackRun, penalty: Callable[[Tensor, Tensor], Tensor], dual: float) -> LinearGuess:
    """c for ||d||_p + c penalty, of a ``penalty`` that is zero at the boundary; costs a gradient an image.

    The way to the boundary must cost less than the penalty of staying, ``dual`` is that norm's dual. The way is a linear
    network's, in logits: probabilities hardly move where a network is sure, and their slope there tells nothing of it.
    """
    x = run.images.detach().requires_grad_(True)
    logits = run.logits(x, run.all)
    gap = run.criterion.gap(logits)
    staying = penalty(logits, run.all).detach()
    gradient = run.gradient(gap, x, run.all)
    way = gap.detach().abs() / torch.linalg.vector_norm(gradient.flatten(1), ord=dual, dim=1).clamp_min(1e-12)
    return _guess(BEYOND * way / staying.clamp_min(1e-12), gap.detach().abs() / l2_norm(gradient).clamp_min(1e-12))


def _guess(constant: Tensor, distance: Tensor) -> LinearGuess:
    return LinearGuess(constant.nan_to_num(1.0, 1e6, 1e-6).clamp(1e-6, 1e6), distance)


def l2_norm(change: Tensor) -> Tensor:
    """(n,) of changes (n,3,H,W)."""
    return change.flatten(1).norm(dim=1)


def squared_l2(change: Tensor) -> Tensor:
    """(n,) of changes (n,3,H,W)."""
    return change.flatten(1).square().sum(dim=1)


def linf_norm(change: Tensor) -> Tensor:
    """(n,) of changes (n,3,H,W)."""
    return change.abs().amax(dim=(1, 2, 3))
