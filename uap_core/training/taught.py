"""The recipe of a network that has a teacher: a transformer learns little from few images by itself.

Its hidden matrices are trained by Muon (Jordan et al., 2024), which makes every step a rotation: it needs fewer passes than
AdamW, which trains the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from uap_core.io.paths import MODELS
from uap_core.models.card import read_card
from uap_core.training.recipe import Recipe
from uap_core.training.teacher import Lessons, Teacher

BETAS = (0.9, 0.99)
MUON_RATE = 10.0  # of the rate of the rest


@dataclass(frozen=True)
class TaughtRecipe(Recipe):
    """Settings of a training beside a ``teacher``, the key of an embedded network of the architecture ResNet-64.

    Each crop has ``large_size`` pixels a side, at which the teacher sees it; in the ``small_share`` of the epochs the pupil
    sees it shrunk to ``small_size``. The teacher's probabilities make up ``teacher_share`` of the targets, and ``guidance``
    weighs how far the pupil's tokens are from the teacher's feature maps (see ``teacher``). The rate rises for ``rising``
    epochs, stays, and falls to zero over the last ``falling_share``: what precedes the fall is the same for any number of
    epochs in which the small ones and the unmixed ones are as many.
    """

    batch_size: int = 256
    peak_rate: float = 2e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.0  # the teacher's probabilities are smooth
    mix_chance: float = 0.25
    small_size: int = 32
    large_size: int = 48
    teacher: str = "resnet64"
    teacher_share: float = 0.7
    guidance: float = 1.0
    rising: float = 1.0
    falling_share: float = 0.375

    def rate(self, moment: float) -> float:
        """The learning rate after ``moment`` epochs, a real number."""
        left = (self.epochs - moment) / (self.falling_share * self.epochs)
        return self.peak_rate * max(0.0, min(moment / self.rising, 1.0, left))

    def side(self, epoch: int) -> int:
        """Pixels a side of the crops, which the teacher sees."""
        return self.large_size

    def shown(self, epoch: int) -> int:
        """Pixels a side of what the pupil sees of them in one epoch."""
        return super().side(epoch)

    def lessons(self) -> Lessons:
        """What the teacher adds. Raises ModelError when its card or weights are not there."""
        return Lessons(Teacher(read_card(MODELS / f"{self.teacher}.json")), self.teacher_share, self.guidance)

    def optimisers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        """Muon for the matrices of the pupil's blocks, AdamW for the rest; ``times`` of a group multiplies the rate."""
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        matrices = [p for name, p in named if ".blocks." in name and p.ndim == 2]
        rest = [(name, p) for name, p in named if ".blocks." not in name or p.ndim != 2]
        # Positions and vectors have no scale to be held down.
        decayed = [p for name, p in rest if p.ndim > 1 and not name.endswith("positions")]
        plain = [p for name, p in rest if p.ndim <= 1 or name.endswith("positions")]
        groups = [{"params": decayed, "weight_decay": self.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        muon = torch.optim.Muon([{"params": matrices, "times": MUON_RATE}], self.peak_rate, weight_decay=self.weight_decay)
        return [torch.optim.AdamW(groups, lr=self.peak_rate, betas=BETAS), muon]
