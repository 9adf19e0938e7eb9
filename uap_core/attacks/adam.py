"""Adam on a batch of images that do not know of each other, with early stopping for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from uap_core.attacks.pixels import as_column
from uap_core.attacks.run import AttackRun

BETAS = (0.9, 0.999)
GAIN = 1e-4  # less than this share of the objective is no improvement
NEVER = 1e30
LAST = 0.05  # the last step of a rate that falls, as a share of the first


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


def patience_of(iterations: int) -> int:
    """Iterations without a gain after which an image is done."""
    return max(5, iterations // 4)


def comes_nearer(run: AttackRun, before: Tensor) -> Tensor:
    """Where (N,) nothing has worked yet, but the closest failure is nearer than ``before`` (N,) by at least 1 %."""
    return run.size.isinf() & (run.closest < before - 0.01 * before.abs().clamp_max(NEVER))
