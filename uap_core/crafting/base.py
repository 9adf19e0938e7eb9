"""The loop that all methods share: take steps, measure, save, stop.

A method is a frozen dataclass of hyper-parameters with one ``step``. The loop counts the cost, projects onto the ball, saves
the state, and yields progress often enough to be streamed and cancelled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from uap_core.attacks.criterion import Criterion
from uap_core.checks import check_fields, check_type
from uap_core.crafting.menu import without_images
from uap_core.crafting.problem import MEAN, WORST, Problem
from uap_core.crafting.run import CraftRun
from uap_core.crafting.run import Progress as Progress
from uap_core.crafting.run import fingerprint as fingerprint
from uap_core.crafting.state import State
from uap_core.errors import DatasetError, SettingError
from uap_core.models.classifier import Classifier
from uap_core.models.wrapping import as_classifiers
from uap_core.norms import LINF, Ball


@dataclass(frozen=True, kw_only=True)
class Crafter:
    """Hold the hyper-parameters of a method that finds one pattern for many images. Files call it by its own ``key`` (see
    ``identity``).

    Args:
        budget: image-gradients on one network; the step that reaches it is finished.
        batch_size: images a step.
        interval: image-gradients between measurements and between saves of the state, which come at the end in any case (0:
            only there).
        delta: stop once 1 - delta of the craft set is fooled, or turned into the target (0 spends the whole budget; looked at
            every ``interval``).

    Raises:
        SettingError: a setting out of its range.
    """

    budget: int = 2000
    batch_size: int = 16
    interval: int = 0
    delta: float = 0.0
    ends_itself: ClassVar[bool] = False  # whether ``iterate`` heeds ``delta``
    needs_images: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_fields(self)
        if min(self.budget, self.batch_size) < 1 or self.interval < 0:
            raise SettingError("Budget and batch size must be at least 1, and the interval not negative.")
        if not 0 <= self.delta < 1:
            raise SettingError("Delta is a share of the images: from 0 to below 1.")
        if vars(self).get("rate", 1.0) <= 0 or vars(self).get("momentum", 0.0) < 0:
            raise SettingError("The rate of a method is above 0, and its momentum not negative.")
        if self.delta and not self.interval and not self.ends_itself:
            raise SettingError("Delta is looked at every interval: give the image-gradients of an interval too.")

    def craft(
        self,
        networks: nn.Module | Sequence[nn.Module],
        images: Tensor | None,
        ball: Ball,
        generator: torch.Generator,
        *,
        criterion: Criterion | None = None,
        ensemble: str = MEAN,
        checkpoint: Path | None = None,
    ) -> Iterator[Progress]:
        """Craft one pattern and yield progress; the last one (``done``) is the result. Close the iterator to stop.

        Args:
            networks: a ``Classifier`` or any module that maps pixels in [0,1] to logits; several are an ensemble.
            images: uint8 (N,3,H,W), or floats in [0,1], which are rounded to 256 levels. A method that needs none takes None,
                or images that it measures on alone: they do not change its pattern.
            ball: what the pattern must stay in.
            generator: the only source of randomness.
            criterion: any other label (when left out), or one target class for all images.
            ensemble: of several networks descend on the "mean" of their losses, or on the "worst" of each batch.
            checkpoint: file where the run is saved every ``interval``; an existing one is continued, to the same result bit for
                bit.

        Raises:
            DatasetError: no images for a method that needs them, or images that do not fit the networks.
            SettingError: a criterion or an ensemble that the method or the networks do not have; None for images, where the
                networks do not say which size they take or ``delta`` has nothing to look at.
            PerturbationError: a checkpoint of another run, or a disk that is full.

        Example:
            >>> import torch, uap_core
            >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))
            >>> images, ball = torch.rand(8, 3, 2, 2), uap_core.Ball("linf", 0.1)
            >>> run = uap_core.SPGD(budget=32, batch_size=8).craft(network, images, ball, torch.Generator().manual_seed(0))
            >>> [(progress.step, progress.done) for progress in run]
            [(1, False), (2, False), (3, False), (4, False), (4, True)]
        """
        classifiers = as_classifiers(networks)
        criterion = Criterion() if criterion is None else criterion
        check_type("ball", ball, Ball, "a Ball, such as Ball('linf', 10 / 255)")
        check_type("generator", generator, torch.Generator, "a torch.Generator")
        check_type("criterion", criterion, Criterion, "a Criterion, such as Criterion.into(3)")
        if ensemble not in (MEAN, WORST):
            raise SettingError(f"An ensemble descends on the {MEAN!r} or the {WORST!r} loss, not {ensemble!r}.")
        self.check(classifiers, ball, criterion, ensemble)

        @torch.inference_mode(False)
        @torch.enable_grad()
        def steps() -> Iterator[Progress]:
            problem = self._pose(classifiers, images, ball, criterion, ensemble)
            yield from CraftRun(self, problem, generator, checkpoint).steps()

        return steps()

    def _pose(
        self, networks: tuple[Classifier, ...], images: Tensor | None, ball: Ball, criterion: Criterion, ensemble: str
    ) -> Problem:
        if images is not None:
            return Problem.pose(networks, images, ball, criterion, ensemble)
        if self.needs_images:
            raise DatasetError(f"This method crafts on images. Give some, or choose one that needs none: {without_images()}.")
        if self.delta:
            raise SettingError("Delta is a share of the images, and there are none: leave it out, or give some to measure on.")
        return Problem.without_images(networks, ball, criterion, ensemble)

    def check(self, networks: tuple[Classifier, ...], ball: Ball, criterion: Criterion, ensemble: str) -> None:
        """Raise SettingError for what this method cannot do, before any work."""

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """The state before the first step: no pattern at all."""
        return State(torch.zeros(problem.images.shape[1:], device=problem.device), generator)

    def step(self, problem: Problem, state: State) -> None:
        """Move ``state.pattern`` within the ball, and count the image-gradients that it took."""
        raise NotImplementedError("A method of crafting writes `step`, or `iterate`.")

    def iterate(self, problem: Problem, state: State) -> Iterator[bool]:
        """Take one ``step`` after another without end.

        Yields after each, where the run is saved and ended: whether the pattern is to be measured now, besides every
        ``interval``. A method that ends of itself returns.
        """
        while True:
            self.step(problem, state)
            yield False

    def share(self, problem: Problem, state: State) -> float:
        """The share of the run that is done, 0 to 1."""
        return state.image_gradients / self.budget

    @property
    def enough(self) -> float:
        """The rate that ends a run: 1 - delta, which may be rounded up above an equal share; infinity where delta is 0."""
        return 1 - self.delta - 1e-9 if self.delta else math.inf

    def finish(self, problem: Problem, state: State) -> Iterator[None]:
        """Post-process the final pattern; yields at points where the run may be cancelled. Does nothing by default."""
        yield from ()


def largest_value(ball: Ball, v: Tensor) -> float:
    """The typical size of a value of a pattern in this ball: the unit of step sizes, in l_inf and in l2."""
    return ball.radius if ball.p == LINF else ball.radius / v.numel() ** 0.5


def saturate(problem: Problem, state: State) -> Iterator[None]:
    """Scale the pattern to the surface of the ball, unless it then succeeds on fewer craft images.

    Yields between the two measurements.
    """
    full = problem.ball.fill(state.pattern)
    reached = problem.rate(state.pattern)
    yield
    if problem.rate(full).count >= reached.count:
        state.pattern = full
