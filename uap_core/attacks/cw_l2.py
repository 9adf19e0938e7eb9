"""Carlini & Wagner l2 (IEEE S&P 2017, section VI.A), each image with its own constant and its own early stop.

x' = (tanh(w) + 1) / 2;  minimise ||x' - x||_2^2 + c * max(max_{j != t} Z_j - Z_t, -kappa);  binary search for the least c.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uap_core.attacks.adam_search import Constants, Descent, l2_norm, linear_guess, search, squared_l2
from uap_core.attacks.base import Attack, check_counts
from uap_core.attacks.menu import register_attack
from uap_core.attacks.run import Subject

INSIDE = 0.95  # of tanh's range: further out its slope is so small that black and white pixels would hardly move


@register_attack(
    "carlini-wagner",
    "Carlini & Wagner l2",
    "Carlini & Wagner, 2017",
    "l2",
    False,
    place=110,
    chosen=True,
    build=lambda wanted: CarliniWagner(search_steps=3, iterations=15 * wanted.effort),
)
@dataclass(frozen=True)
class CarliniWagner(Attack):
    """Minimise ||x' - x||_2^2 + c max(max_{j != t} Z_j - Z_t, -kappa) for the least c that works, Z logits.

    Carlini & Wagner, "Towards evaluating the robustness of neural networks", IEEE S&P 2017, section VI.A. Where the paper
    starts with c = 1e-3 and steps of 0.01, each image starts with what a linear network would need (see ``linear_guess``). A
    search step goes on from where the one before ended, and ends early for an image whose objective has not fallen for a
    quarter of the ``iterations``. All that for the gradients it saves: see tests/bench/attacks.py.

    Args:
        search_steps: binary-search steps over c.
        iterations: steps of Adam for each at most, a gradient each.
        confidence: kappa, in logits: how far beyond the boundary a success must lie.

    Raises:
        SettingError: a number below 1.

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

    def __post_init__(self) -> None:
        check_counts(search_steps=self.search_steps, iterations=self.iterations)

    def run(self, subject: Subject, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.run``."""

        def penalty(logits: Tensor, which: Tensor) -> Tensor:
            return subject.aim.of(which).gap(logits).clamp_min(-self.confidence)

        guess = linear_guess(subject, penalty)
        picture = TanhPicture(subject.images)
        descent = Descent(subject, picture.start.clone(), picture, guess.rate(subject.images))
        yield from search(
            descent,
            Constants(guess.constant),
            squared_l2,
            penalty,
            l2_norm,
            self.search_steps,
            self.iterations,
            self.confidence,
        )


class TanhPicture:
    """x' from w: x + (tanh(w) - tanh(w_0)) / 2, clamped to [0,1], which is x itself at the start w_0.

    Carlini & Wagner's x' = (tanh(w) + 1) / 2 must shrink the picture first, or black and white pixels never move; the shrinking
    alone then changes the picture by more than some attacks need.
    """

    def __init__(self, images: Tensor) -> None:
        self.images = images
        self.start = torch.atanh((images * 2 - 1) * INSIDE)
        self.origin = torch.tanh(self.start)

    def __call__(self, w: Tensor, which: Tensor) -> Tensor:
        """Rows ``w`` (n,3,H,W) of the images ``which`` as pictures."""
        return (self.images[which] + (torch.tanh(w) - self.origin[which]) / 2).clamp(0, 1)
