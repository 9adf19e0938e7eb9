"""A generator of universal patterns: train a small network from codes to patterns, each of which fools (NAG, CVPR 2018).

Left alone it learns one pattern and ignores its code. What keeps its patterns apart here is to tell it which label to aim at,
among labels that the network falls into anyway: at first that alone, later, growing, to fool at all. A few codes are told two
labels, each in part, so that the patterns between two labels fool as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.base import saturate
from uap_core.crafting.default import unlikely_and_turned
from uap_core.crafting.distributed import my_share
from uap_core.crafting.first_order import FirstOrder
from uap_core.crafting.menu import register_method
from uap_core.crafting.optimizers import adam
from uap_core.crafting.problem import Problem
from uap_core.crafting.state import State
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.perturbations.generator_network import GeneratorShape
from uap_core.perturbations.generators import STRESS, PatternGenerator, bounded

STARTS = 8  # at most, which leaves three tenths of the run to the one that goes on
LEARNT = ("weights", "statistics", "first", "second")


@register_method(
    "generator",
    "Generator",
    "Mopuri et al., CVPR 2018",
    "Trains a small network that makes patterns from random numbers; this is one of them.",
    place=90,
    settings={"batch_size": 8, "draws": 4, "rate": 5e-3},
    colour="#7B3294",
    marker="P",
)
@dataclass(frozen=True, kw_only=True)
class Generator(FirstOrder):
    """Craft by a generator: train a network from codes to patterns; the run's pattern is that of one code.

    Mopuri et al., "NAG: network for adversary generation", CVPR 2018. ``generator_of`` takes the network out of the state.

    Args:
        hubs: class indices that the code tells it to aim at; none for noise alone.
        alone: share of the run in which hubs are aimed at and nothing else.
        mixed: share of the codes that are told two hubs, each in part, and aim at both in these parts.
        weight: of fooling at all, beside aiming at the hub, when the run ends: more fools more, and patterns differ less.
        draws: codes a step; each gets ``batch_size / draws`` images.
        noise: numbers of noise in the code.
        channels: of the last hidden layer (see ``GeneratorShape``).
        tiles: repetitions of one square across and down the pattern.
        rate: Adam's first, falling linearly to almost nothing.
        starts: trainings that are begun; after a tenth of the run each, the one whose pattern fools most images goes on.
        bf16: see ``FirstOrder``.
        budget, batch_size, interval, delta: see ``Crafter``.

    Raises:
        SettingError: a setting out of its range.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(network, images, method="generator", budget=64)
        >>> v.norms.linf <= 10 / 255 + 1e-6
        True
    """

    key: ClassVar[str] = "generator"
    batch_size: int = 32
    hubs: tuple[int, ...] = ()
    alone: float = 0.4
    mixed: float = 0.0
    weight: float = 1.0
    draws: int = 16
    noise: int = 6
    channels: int = 16
    tiles: int = 1
    rate: float = 2e-3
    starts: int = 1
    loss = staticmethod(unlikely_and_turned)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.hubs, tuple) or not all(type(hub) is int and hub >= 0 for hub in self.hubs):
            raise SettingError(f"Hubs are class indices, such as (398, 879), not {self.hubs!r}.")
        if not 1 < self.draws <= self.batch_size:
            raise SettingError("A step needs at least two codes, and an image for each.")
        if min(self.noise, self.channels, self.tiles) < 1 or not 0 <= self.alone < 1 or self.weight < 0:
            raise SettingError("Noise, channels and tiles are at least 1, the share alone below 1, the weight not negative.")
        if not 0 <= self.mixed <= 1:
            raise SettingError("The share of codes that are told two hubs is from 0 to 1.")
        if not 1 <= self.starts <= STARTS:
            raise SettingError(f"A training is begun once to {STARTS} times: each start is a tenth of the run.")
        if self.starts > 1 and self.steps < 10:
            raise SettingError("Several starts need a run of ten steps at least. Raise the budget.")

    def check(self, networks: tuple[Classifier, ...], ball: Ball, criterion: Criterion, ensemble: str) -> None:
        """Hubs are classes of all networks, and targets by themselves."""
        if self.hubs and criterion.targeted:
            raise SettingError("A generator that is told labels has no other target. Give it hubs or a target.")
        self._check_hubs(networks)

    def _check_hubs(self, networks: tuple[Classifier, ...]) -> None:
        """Raise SettingError for hubs that are no classes; those of a bare module are counted when the run begins."""
        if any(hub >= len(network.labels) for hub in self.hubs for network in networks if network.labels):
            raise SettingError("There is no such class to aim at among the hubs.")

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """Fresh weights. Raises SettingError for tiles that do not fill the picture, and hubs that are no classes."""
        self._check_hubs(problem.networks)
        if any(side % self.tiles for side in problem.shape):
            raise SettingError(f"{self.tiles} tiles do not fill {problem.shape[1]} x {problem.shape[0]} pixels evenly.")
        weights, statistics = self.shape(problem).start(generator)
        shown, _mix = self._codes(generator)
        memory = {"weights": weights, "statistics": statistics, "shown": shown[:1]}
        memory = {name: value.to(problem.device) for name, value in memory.items()}
        state = State(torch.zeros(problem.images.shape[1:], device=problem.device), generator, memory)
        self._show(problem, state)
        return state

    def shape(self, problem: Problem) -> GeneratorShape:
        """The sizes of the generator for this problem."""
        return GeneratorShape(self.noise + len(self.hubs), *problem.shape, self.channels, self.tiles)

    def step(self, problem: Problem, state: State) -> None:
        """One step of Adam on the weights."""
        if self.starts > 1 and state.step in range(self.tenth, self.starts * self.tenth + 1, self.tenth):
            self._end_start(problem, state)
        number = state.step - min(state.step // self.tenth, self.starts - 1) * self.tenth  # of this training
        batch = state.next_batch(len(problem.images), self.batch_size)
        codes, mix = self._codes(state.generator)
        owner = torch.arange(len(batch)) * len(codes) // max(len(batch), len(codes))
        with torch.enable_grad():
            weights = state.memory["weights"].detach().requires_grad_(True)
            values = self.shape(problem).forward(weights, state.memory["statistics"], codes.to(problem.device), training=True)
            each = finite(bounded(problem.ball, values))[owner]
        state.image_gradients += len(batch) * len(problem.networks)
        aims = my_share(mix[owner]) if self.hubs else None
        share = number / (self.steps - (self.starts - 1) * self.tenth)

        def loss(clean: Tensor, perturbed: Tensor) -> Tensor:
            return self.aimed(clean, perturbed, problem.criterion.target, aims, share)

        upon = problem.gradient(loss, batch, each.detach(), self.bf16)
        (gradient,) = torch.autograd.grad(each, weights, upon)
        rate = self.rate * (1 - share) + 1e-5
        state.memory["weights"] = weights.detach() - rate * adam(state.memory, gradient, number + 1)
        self._show(problem, state)

    @property
    def tenth(self) -> int:
        """Steps of one start."""
        return max(1, self.steps // 10)

    def _end_start(self, problem: Problem, state: State) -> None:
        """Keep the better of this start and those before it; begin the next one, or go on with the best."""
        memory = state.memory
        rate = problem.held_to(problem.criterion.target, state.pattern).value
        if "best" not in memory or rate > float(memory["best"]):
            memory["best"] = torch.tensor(rate)
            memory |= {f"best {name}": memory[name].clone() for name in LEARNT}
        if state.step == self.starts * self.tenth:
            memory |= {name: memory.pop(f"best {name}") for name in LEARNT}
            return
        weights, statistics = self.shape(problem).start(state.generator)
        memory |= {"weights": weights.to(problem.device), "statistics": statistics.to(problem.device)}
        for moment in ("first", "second"):
            del memory[moment]

    def aimed(self, clean: Tensor, perturbed: Tensor, target: int | None, aims: Tensor | None, share: float) -> Tensor:
        """The loss (n,) of logits (n,K): into the hubs, by the shares ``aims`` (n,hubs); after ``alone``, growing, away."""
        if aims is None:
            return self.loss(clean, perturbed, target)
        into = -(aims.to(perturbed.device) * perturbed.log_softmax(dim=1)[:, list(self.hubs)]).sum(dim=1)
        weight = self.weight * max(0.0, (share - self.alone) / (1 - self.alone))
        return into + weight * self.loss(clean, perturbed, None) if weight else into

    def finish(self, problem: Problem, state: State) -> Iterator[None]:
        """Scale the pattern to the surface of the ball, unless that fools fewer images."""
        yield from saturate(problem, state)

    def _codes(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Codes (draws, code), and by what shares (draws, hubs) each aims at the hubs: at one, or for some at two."""
        noise = 2 * torch.rand(self.draws, self.noise, generator=generator) - 1
        if not self.hubs:
            return noise, torch.zeros(self.draws, 0)
        mix = self._one_hub_each(generator)
        if self.mixed:
            part, chosen = torch.rand(2, self.draws, 1, generator=generator)
            mix = mix.lerp(self._one_hub_each(generator), part * (chosen < self.mixed))
        return torch.cat([noise, STRESS * mix], dim=1), mix

    def _one_hub_each(self, generator: torch.Generator) -> Tensor:
        """One of the hubs for each draw, as shares (draws, hubs)."""
        which = torch.randint(len(self.hubs), (self.draws,), generator=generator)
        return F.one_hot(which, len(self.hubs)).float()

    @torch.no_grad()
    def _show(self, problem: Problem, state: State) -> None:
        """Let the state's pattern be that of its one code."""
        memory = state.memory
        values = self.shape(problem).forward(memory["weights"], memory["statistics"], memory["shown"])
        finite(memory["weights"])
        state.pattern = finite(bounded(problem.ball, values))[0]


def finite(values: Tensor) -> Tensor:
    """``values`` as they are. Raises SettingError where one is no number any more: the rate was too high."""
    if not bool(values.isfinite().all()):
        raise SettingError("The generator's weights went beyond all numbers: its rate is too high. Lower it and start again.")
    return values


def generator_of(method: Generator, problem: Problem, state: State) -> PatternGenerator:
    """The generator that a run of ``method`` has trained so far."""
    labels = tuple(problem.networks[0].labels[hub] for hub in method.hubs)
    memory = {name: state.memory[name].detach().cpu().clone() for name in ("weights", "statistics")}
    return PatternGenerator(method.shape(problem), problem.ball, labels, memory["weights"], memory["statistics"])
