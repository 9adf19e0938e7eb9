"""Update rules for the pattern: steepest descent in the ball's norm, Adam, and a running mean of directions."""

from __future__ import annotations

from torch import Tensor

from uap_core.norms import LINF, Ball


def steepest(ball: Ball, gradient: Tensor, size: float) -> Tensor:
    """The step of norm ``size`` that climbs fastest: size * sign(g) in l_inf, size * g / ||g||_2 in l2; same shape."""
    return Ball(ball.p, size).fill(gradient) if ball.p != LINF else size * gradient.sign()


def adam(memory: dict[str, Tensor], gradient: Tensor, step: int) -> Tensor:
    """Adam's direction, values about 1 (Kingma & Ba, ICLR 2015), for the ``step``-th gradient, counted from 1.

    ``memory`` holds the two moments between calls.
    """
    first = 0.9 * memory.get("first", 0) + 0.1 * gradient
    second = 0.999 * memory.get("second", 0) + 0.001 * gradient**2
    memory |= {"first": first, "second": second}
    return (first / (1 - 0.9**step)) / ((second / (1 - 0.999**step)).sqrt() + 1e-12)


def mean_direction(memory: dict[str, Tensor], gradient: Tensor, step: int) -> Tensor:
    """The running mean of the gradients, each scaled to root mean square 1, at the ``step``-th, counted from 1.

    Adam rescales all coordinates to similar size, which suits an l_inf ball. In an l2 ball the total length is the budget, so
    coordinates with large gradients should move more. ``memory`` holds the mean between calls.
    """
    unit = gradient / gradient.norm().clamp_min(1e-30) * gradient.numel() ** 0.5
    memory["mean"] = 0.9 * memory.get("mean", 0) + 0.1 * unit
    return memory["mean"] / (1 - 0.9**step)
