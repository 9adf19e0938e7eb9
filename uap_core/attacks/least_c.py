"""The search for the least c at which minimising distance + c penalty works, for each image of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from uap_core.attacks.cw_l2 import AdamPerImage, patience_of


class ScaleSearch:
    """Search for the least c that works, for each image, on a log scale: times or over ten until one works and one fails, then
    the geometric mean of the two.

    For penalties that pull beyond the boundary, whose change grows with every c that is too large: a first c that is a hundred
    times too large costs two steps here, and seven where the interval is halved as in ``cw_l2``.
    """

    def __init__(self, first: Tensor) -> None:
        self.value = first.clone()
        self.lower, self.upper = torch.zeros_like(first), torch.full_like(first, torch.inf)

    def learn(self, found: Tensor, which: Tensor) -> None:
        """Choose the next c for the images ``which``; ``found`` (n,) says whether the present one worked."""
        c, lower, upper = self.value[which], self.lower[which], self.upper[which]
        upper, lower = torch.where(found, torch.minimum(upper, c), upper), torch.where(found, lower, torch.maximum(lower, c))
        self.lower[which], self.upper[which] = lower, upper
        self.value[which] = torch.where(upper.isinf(), c * 10, torch.where(lower > 0, (lower * upper).sqrt(), c / 10))


def search(
    adam: AdamPerImage,
    constants: ScaleSearch,
    distance: Callable[[Tensor], Tensor],
    penalty: Callable[[Tensor, Tensor], Tensor],
    size: Callable[[Tensor], Tensor],
    search_steps: int,
    iterations: int,
) -> Iterator[float]:
    """Minimise distance(x' - x) + c penalty(x') for one c after another, each from where the last one ended.

    ``distance`` and ``size`` take changes (n,3,H,W), ``penalty`` logits (n,K) and which images they are of. Yields the share of
    the work that is done.
    """
    everyone = adam.run.all

    def objective(change: Tensor, logits: Tensor, which: Tensor) -> Tensor:
        return distance(change) + constants.value[which] * penalty(logits, which)

    for number in range(search_steps):
        for iteration in adam.minimise(everyone, objective, size, iterations, patience_of(iterations)):
            yield (number + iteration / iterations) / search_steps
        change = adam.picture(adam.variable, everyone).detach() - adam.run.images
        adam.run.tried(constants.value, size(change), adam.holds, everyone)
        constants.learn(adam.holds, everyone)
        back = adam.run.success & ~adam.holds  # what failed is nearer than any success, and a bad place to start from
        adam.variable[back] = adam.run.adversarial[back]
