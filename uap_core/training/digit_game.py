"""A game of two networks over drawn digits: one makes digits of random numbers, the other tells them from drawn ones (DCGAN).

Radford et al., "Unsupervised representation learning with deep convolutional generative adversarial networks", ICLR 2016, in
small: two layers that double the side, and the generator's loss that does not saturate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.errors import SettingError
from uap_core.perturbations.generator_network import GeneratorShape
from uap_core.training.checkpoints import all_finite, load_training, read_state, save_training

SHAPE = GeneratorShape(code=16, height=28, width=28, channels=32, colours=1)
BETAS = (0.5, 0.999)  # of Adam, as DCGAN has them
SAVE = 200  # steps between saves


@dataclass(frozen=True)
class GameRecipe:
    """Steps, images a step, the rates of both players, the seed."""

    steps: int = 4000
    batch_size: int = 64
    rate: float = 1e-3
    judge_rate: float = 4e-4
    seed: int = 0


@dataclass(frozen=True)
class GameRow:
    """The game after ``step`` steps: the judge's mean answer on drawn and on generated digits."""

    step: int
    real: float
    made: float


class DigitMaker(nn.Module):
    """Codes (n,16) to digits (n,1,28,28) in [0,1]."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        weights, statistics = SHAPE.start(generator)
        self.weights = nn.Parameter(weights)
        self.statistics: Tensor
        self.register_buffer("statistics", statistics)

    def forward(self, codes: Tensor) -> Tensor:
        """See the class."""
        return SHAPE.forward(self.weights, self.statistics, codes, self.training).sigmoid()


def judge(generator: torch.Generator) -> nn.Sequential:
    """The network that tells drawn digits from made ones: (n,1,28,28) to a logit (n,1)."""
    network = nn.Sequential(
        nn.Conv2d(1, 24, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(24, 48, 4, 2, 1, bias=False),
        nn.BatchNorm2d(48),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(48 * 7 * 7, 1),
    )
    redraw(network, generator)
    return network


def redraw(network: nn.Module, generator: torch.Generator) -> None:
    """Fresh weights from ``generator`` alone, in the ranges that Torch draws from."""
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                bound = layer.weight[0].numel() ** -0.5
                for value in (layer.weight, layer.bias):
                    if value is not None:
                        value.copy_(bound * (2 * torch.rand(value.shape, generator=generator) - 1))


def play(digits: Tensor, recipe: GameRecipe, state: Path) -> Iterator[tuple[GameRow, DigitMaker]]:
    """Let both learn from ``digits`` (N,1,28,28); yields a row and the maker every SAVE steps, after saving ``state``.

    An existing ``state`` is continued to the same result; of a finished one there is the end alone. Raises SettingError where a
    weight is no number any more, or for the state of another game.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    maker, other = DigitMaker(generator), judge(generator)
    steps = {
        "makers": torch.optim.Adam(maker.parameters(), recipe.rate, BETAS),
        "judges": torch.optim.Adam(other.parameters(), recipe.judge_rate, BETAS),
    }
    parts = {"maker": maker, "judge": other, **steps}
    begun = load_training(state, asdict(recipe), parts, generator)
    if begun == recipe.steps:
        yield _told_by(state), maker
    for step in range(begun, recipe.steps):
        real = digits[torch.randint(len(digits), (recipe.batch_size,), generator=generator)]
        made = maker(2 * torch.rand(recipe.batch_size, SHAPE.code, generator=generator) - 1)
        on_real, on_made = other(real), other(made.detach())
        loss = F.softplus(-on_real).mean() + F.softplus(on_made).mean()
        descend(steps["judges"], loss)
        descend(steps["makers"], F.softplus(-other(made)).mean())
        if (step + 1) % SAVE and step + 1 < recipe.steps:
            continue
        if not all_finite(maker):
            raise SettingError("The game went beyond all numbers: its rates are too high. Lower them and start again.")
        row = GameRow(step + 1, _mean(on_real), _mean(on_made))
        save_training(state, {**asdict(recipe), **asdict(row)}, parts, generator)
        yield row, maker


def _told_by(state: Path) -> GameRow:
    told = read_state(state, "told")["told"]
    return GameRow(**{part.name: told[part.name] for part in fields(GameRow)})


def _mean(logits: Tensor) -> float:
    return round(float(logits.detach().sigmoid().mean()), 4)


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step of ``optimiser`` down the gradient of ``loss``."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
