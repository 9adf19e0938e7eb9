"""The settings of a training: SGD on a one-cycle schedule, small images first, averaged weights.

One checkpoint, written after each epoch, holds the whole state: a run may be stopped and continued at any time.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from uap_core.errors import SettingError
from uap_core.training.opponents import EachImage, LearningPattern, Opponent
from uap_core.training.teacher import Lessons

IMAGES, UNIVERSAL = "images", "universal"
OPPONENTS = (IMAGES, UNIVERSAL)


@dataclass(frozen=True)
class Recipe:
    """Settings of one training run.

    ``size`` is that of the pictures and of what the network takes in use. ``small_share`` of the ``epochs`` see crops of
    ``small_size`` pixels, the rest of ``large_size``; CutMix joins ``mix_chance`` of the batches until the last
    ``plain_share`` of them, which see unmixed images. Random crops show things larger than whole pictures do, so in use the
    network sees its pictures enlarged to ``view_size`` (Touvron et al., "Fixing the train-test resolution discrepancy",
    NeurIPS 2019): here by a quarter, about the mean enlargement of the crops; with 0 it sees them as they are.

    With an ``epsilon`` above 0 the share 1 - ``alpha`` of each batch is attacked in l_inf, ``against`` each image by itself or
    one universal pattern (see ``opponents``). ``start`` names the embedded network whose weights the run begins with; fresh
    ones when empty.
    """

    epochs: int = 50
    batch_size: int = 128
    peak_rate: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    smallest_crop: float = 0.35
    colour: float = 0.3
    mix_chance: float = 0.5
    plain_share: float = 0.15
    size: int = 64
    small_size: int = 48
    small_share: float = 0.45
    large_size: int = 64
    average_decay: float = 0.998
    view_size: int = 80
    seed: int = 0
    epsilon: float = 0.0
    alpha: float = 0.5
    against: str = IMAGES
    start: str = ""

    def rate(self, moment: float) -> float:
        """The learning rate after ``moment`` epochs, a real number."""
        return self.peak_rate * one_cycle(moment / self.epochs)

    def side(self, epoch: int) -> int:
        """Pixels a side of the crops of one epoch."""
        return self.small_size if epoch < self.small_share * self.epochs else self.large_size

    def shown(self, epoch: int) -> int:
        """Pixels a side at which the network sees the crops."""
        return self.side(epoch)

    def mixing(self, epoch: int) -> float:
        """The chance of CutMix for a batch of one epoch."""
        return self.mix_chance if epoch < (1 - self.plain_share) * self.epochs else 0.0

    def optimisers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        """What moves the weights of ``model``: here SGD with Nesterov's momentum."""
        weights = list(model.parameters())
        groups = [
            {"params": [p for p in weights if p.ndim > 1], "weight_decay": self.weight_decay},
            {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return [torch.optim.SGD(groups, lr=self.peak_rate, momentum=self.momentum, nesterov=True)]

    def lessons(self) -> Lessons | None:
        """What a teacher adds to the loss, or None without one."""
        return None

    def opponent(self) -> Opponent | None:
        """The threat model of the training, or None. Raises SettingError for an unknown one."""
        if self.against not in OPPONENTS:
            raise SettingError(
                f"A network is trained against {', '.join(OPPONENTS[:-1])} or {OPPONENTS[-1]}, not against {self.against!r}."
            )
        if not self.epsilon:
            return None
        if self.against == UNIVERSAL:
            return LearningPattern(self.epsilon, self.alpha, self.large_size)
        return EachImage(self.epsilon, self.alpha)


def one_cycle(progress: float) -> float:
    """The share of the peak rate at ``progress`` in [0,1]: linear to 1 over the first fifth, then linear to 0."""
    return progress / 0.2 if progress < 0.2 else (1 - progress) / 0.8
