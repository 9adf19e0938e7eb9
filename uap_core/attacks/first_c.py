"""The first c and Adam's first learning rate: what they would have to be if the network were linear."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.pixels import l2_norm, squared_l2
from uap_core.attacks.run import AttackRun

# How many times as large c is taken, since overestimating it is cheaper than underestimating it.
FACTOR = 5.0  # where c is guessed from the slope of the penalty alone
BEYOND = 2.0  # where the guess knows how far the boundary is
RATE = 3.0  # root mean square steps of the guessed length, in the first learning rate


@dataclass(frozen=True)
class LinearGuess:
    """Hold what a linear penalty would need: c as ``constant`` (N,), and the l2 ``distance`` (N,) to where it is zero.

    c is taken FACTOR or BEYOND times as large.
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
