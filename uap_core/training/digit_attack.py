"""A network that changes digits so that a small classifier errs, with and without a judge of the result (AdvGAN).

Xiao et al., "Generating adversarial examples with adversarial networks", IJCAI 2018: one pass makes the change of any digit;
the judge keeps the changed digits among the drawn ones. Without it the loss is the same but for that term.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.errors import SettingError
from uap_core.training.checkpoints import all_finite, load_training, save_training
from uap_core.training.digit_game import BETAS, SAVE, descend, judge, redraw

BOUND = 0.4  # of a change, in units of [0,1]
START = 2.0  # how near to no change a changer begins, in the argument of the sigmoid
ALLOWED = 3.0  # l2 norm of a change that costs nothing


@dataclass(frozen=True)
class AttackRecipe:
    """Steps, images a step, rate, seed, and the weights of the judge's term (0 without a judge) and of the change's size."""

    judged: float = 1.0
    sized: float = 1.0
    steps: int = 1500
    batch_size: int = 64
    rate: float = 5e-4
    seed: int = 0


def small_classifier(generator: torch.Generator) -> nn.Sequential:
    """A network from digits (n,1,28,28) to logits (n,10), with fresh weights."""
    network = nn.Sequential(
        nn.Conv2d(1, 16, 5, 2, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 7 * 7, 10)
    )
    redraw(network, generator)
    return network


def learn_digits(network: nn.Module, digits: Tensor, labels: Tensor, steps: int, generator: torch.Generator) -> None:
    """Train ``network`` (digits to logits (n,K)) on ``digits`` (N,1,28,28) and ``labels`` (N,) by Adam, in place."""
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    for _step in range(steps):
        batch = torch.randint(len(digits), (64,), generator=generator)
        loss = F.cross_entropy(network(digits[batch]), labels[batch])
        descend(optimiser, loss)


class Changer(nn.Module):
    """Digits (n,1,28,28) to changed ones, each value within BOUND of what it was and within [0,1]."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 5, 1, 2), nn.ReLU(), nn.Conv2d(16, 16, 5, 1, 2), nn.ReLU(), nn.Conv2d(16, 1, 5, 1, 2)
        )
        redraw(self.layers, generator)
        with torch.no_grad():
            for value in self.layers[-1].parameters():
                value.mul_(0.1)

    def forward(self, digits: Tensor) -> Tensor:
        """See the class. Between the bounds by a sigmoid that begins near no change: clipped changes teach nothing."""
        low, high = (digits - BOUND).clamp_min(0), (digits + BOUND).clamp_max(1)
        return low + (high - low) * (self.layers(digits) + START * (2 * digits - 1)).sigmoid()


def learn_to_change(
    digits: Tensor, labels: Tensor, classifier: nn.Module, recipe: AttackRecipe, state: Path
) -> Iterator[tuple[int, Changer]]:
    """Train a ``Changer`` against ``classifier``; yields the step and the changer every SAVE steps, after saving ``state``.

    An existing ``state`` is continued; of a finished one there is the end alone. Raises SettingError where a weight is no
    number any more.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    changer, other = Changer(generator), judge(generator)
    steps = {
        "changers": torch.optim.Adam(changer.parameters(), recipe.rate, BETAS),
        "judges": torch.optim.Adam(other.parameters(), recipe.rate, BETAS),
    }
    parts = {"changer": changer, "judge": other, **steps}
    begun = load_training(state, asdict(recipe), parts, generator)
    if begun == recipe.steps:
        yield begun, changer
    for step in range(begun, recipe.steps):
        picked = torch.randint(len(digits), (2, recipe.batch_size), generator=generator)
        x, y, real = digits[picked[0]], labels[picked[0]], digits[picked[1]]
        changed = changer(x)
        if recipe.judged:
            told = F.softplus(-other(real)).mean() + F.softplus(other(changed.detach())).mean()
            descend(steps["judges"], told)
        loss = margin(classifier(changed), y).mean() + recipe.sized * (size(changed, x) - ALLOWED).relu().mean()
        if recipe.judged:
            loss = loss + recipe.judged * F.softplus(-other(changed)).mean()
        descend(steps["changers"], loss)
        if (step + 1) % SAVE and step + 1 < recipe.steps:
            continue
        if not all_finite(changer):
            raise SettingError("The training went beyond all numbers: its rate is too high. Lower it and start again.")
        save_training(state, {**asdict(recipe), "step": step + 1}, parts, generator)
        yield step + 1, changer


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """How far the right class is ahead of the next (n,), from logits (n,K): 0 once it is 2 behind (Carlini and Wagner)."""
    right = logits.gather(1, labels[:, None])[:, 0]
    others = logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)
    return (right - others + 2).relu()


def size(changed: Tensor, digits: Tensor) -> Tensor:
    """l2 norms (n,) of the changes."""
    return (changed - digits).flatten(1).pow(2).sum(dim=1).clamp_min(1e-12).sqrt()
