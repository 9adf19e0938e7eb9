"""Square Attack, l_inf (Andriushchenko et al., ECCV 2020): random search that asks for scores and needs no gradient.

Set a random square to +-epsilon in each colour and keep it if the loss improves. Starts from vertical stripes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.base import Attack, check_counts, check_epsilon, check_positive
from uap_core.attacks.menu import register_attack
from uap_core.attacks.pixels import between, unit_interval
from uap_core.attacks.run import AttackRun

HALVINGS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)  # the paper's schedule, as shares of its 10 000 queries


@register_attack(
    "square",
    "Square",
    "Andriushchenko et al., 2020",
    norm="linf",
    bounded=True,
    place=50,
    knows="black box, scores",
    build=lambda wanted: Square(wanted.epsilon, query_budget=200 * wanted.effort),
)
@dataclass(frozen=True)
class Square(Attack):
    """Attack without gradients: change random squares within epsilon, and keep what improves the loss.

    Andriushchenko et al., "Square Attack", ECCV 2020, Algorithms 1 and 2 (l_inf). Asks for scores alone.

    Args:
        epsilon: l_inf bound in units of [0,1] pixels.
        query_budget: queries an image at most.
        first_share: share of the image that the first squares cover.

    Raises:
        SettingError: ``epsilon`` is not between 0 and 1, or there are no queries.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=2).images()
        >>> result = uap_core.attack(network, x, method=uap_core.Square(8 / 255, query_budget=20))
        >>> bool(result.linf.max() <= 8 / 255 + 1e-6)
        True
    """

    key: ClassVar[str] = "square"
    epsilon: float = 10 / 255
    query_budget: int = 300
    first_share: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_epsilon(self.epsilon)
        check_counts(query_budget=self.query_budget)
        check_positive(1, first_share=self.first_share)

    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.perturb``. Every image of a batch tries the same squares, so that each fares as it would alone."""
        which, (height, width) = run.all, run.images.shape[-2:]
        images, bounds = run.images, unit_interval(run.images, self.epsilon)
        x = between(images + self._signs((3, 1, width), generator).to(images), bounds)
        logits = self._look(run, x, which)
        gap = run.criterion.of(which).gap(logits)
        run.settle(x, logits, which)
        for number in range(1, self.query_budget):
            left = ~run.success[which]
            if not bool(left.any()):
                return
            if not bool(left.all()):
                which, images, x, gap = which[left], images[left], x[left], gap[left]
                bounds = (bounds[0][left], bounds[1][left])
            length = square_side(number / self.query_budget, height, width, self.first_share)
            top, first = (int(torch.randint(side - length + 1, (1,), generator=generator)) for side in (height, width))
            window = (..., slice(top, top + length), slice(first, first + length))
            tried = x.clone()
            tried[window] = images[window] + self._signs((3, 1, 1), generator).to(images)
            tried = between(tried, bounds)
            logits = self._look(run, tried, which)
            new = run.criterion.of(which).gap(logits)
            nearer = new < gap
            gap = torch.where(nearer, new, gap)
            x[nearer] = tried[nearer]
            run.settle(tried[nearer], logits[nearer], which[nearer])
            yield number / self.query_budget

    def _signs(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return (torch.randint(0, 2, shape, generator=generator).float() * 2 - 1) * self.epsilon

    @staticmethod
    def _look(run: AttackRun, x: Tensor, which: Tensor) -> Tensor:
        with torch.inference_mode():
            return run.logits(x, which)


def square_side(progress: float, height: int, width: int, first_share: float) -> int:
    """Pixels a side of the squares after the share ``progress`` of the queries: their area, at first ``first_share`` of the
    picture's, is halved at each of HALVINGS."""
    share = first_share / 2 ** sum(progress > moment for moment in HALVINGS)
    return max(1, min(height, width, round(math.sqrt(share) * math.sqrt(height * width))))
