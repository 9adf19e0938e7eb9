"""The loop that all methods share: take steps, measure, save, stop.

A method is a frozen dataclass of hyper-parameters with one ``step``. The loop counts the cost, projects onto the ball, saves
the state, and yields progress often enough to be streamed and cancelled.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.distributed import all_agree, rank_and_size
from uap_core.crafting.problem import MEAN, WORST, Problem
from uap_core.crafting.state import State, load_state, save_state
from uap_core.errors import SettingError
from uap_core.identity import identity, settings
from uap_core.metrics import Rate
from uap_core.models.classifier import Classifier
from uap_core.models.wrapping import as_classifier
from uap_core.norms import LINF, Ball


@dataclass(frozen=True)
class Progress:
    """Hold the state of a run after some steps; the last one is ``done``. Rates are None where they were not measured.

    Args:
        step: steps taken.
        image_gradients: forward-and-backward passes of one image through one network.
        seconds: that crafting took.
        share: of the run that is done, 0 to 1.
        perturbation: the pattern (3,H,W), in the ball.
        fooling_rate: on the craft set.
        target_rate: share of craft images turned into the target.
        done: whether this is the result.
    """

    step: int
    image_gradients: int
    seconds: float
    share: float
    perturbation: Tensor
    fooling_rate: Rate | None = None
    target_rate: Rate | None = None
    done: bool = False


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
    measures_itself: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if min(self.budget, self.batch_size) < 1 or self.interval < 0:
            raise SettingError("Budget and batch size must be at least 1, and the interval not negative.")
        if not 0 <= self.delta < 1:
            raise SettingError("Delta is a share of the images: from 0 to below 1.")
        if self.delta and not self.interval and not self.measures_itself:
            raise SettingError("Delta is looked at every interval: give the image-gradients of an interval too.")

    def craft(
        self,
        networks: nn.Module | Sequence[nn.Module],
        images: Tensor,
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
            images: uint8 (N,3,H,W), or floats in [0,1], which are rounded to 256 levels.
            ball: what the pattern must stay in.
            generator: the only source of randomness.
            criterion: any other label (when left out), or one target class for all images.
            ensemble: of several networks descend on the "mean" of their losses, or on the "worst" of each batch.
            checkpoint: file where the run is saved every ``interval``; an existing one is continued, to the same result bit for
                bit.

        Raises:
            DatasetError: no images, or images that do not fit the networks.
            SettingError: a criterion or an ensemble that the method or the networks do not have.
            PerturbationError: a checkpoint of another run, or a disk that is full.

        Example:
            >>> import torch, uap_core
            >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))
            >>> images, ball = torch.rand(8, 3, 2, 2), uap_core.Ball("linf", 0.1)
            >>> run = uap_core.SPGD(budget=32, batch_size=8).craft(network, images, ball, torch.Generator().manual_seed(0))
            >>> [(progress.step, progress.done) for progress in run]
            [(1, False), (2, False), (3, False), (4, False), (4, True)]
        """
        modules = (networks,) if isinstance(networks, nn.Module) else tuple(networks)
        classifiers = tuple(map(as_classifier, modules))
        criterion = criterion or Criterion()
        if ensemble not in (MEAN, WORST):
            raise SettingError(f"An ensemble descends on the {MEAN!r} or the {WORST!r} loss, not {ensemble!r}.")
        self.check(classifiers, ball, criterion, ensemble)

        @torch.inference_mode(False)
        @torch.enable_grad()
        def steps() -> Iterator[Progress]:
            problem = Problem.pose(classifiers, images, ball, criterion, ensemble)
            yield from _Run(self, problem, generator, checkpoint).steps()

        return steps()

    def check(self, networks: tuple[Classifier, ...], ball: Ball, criterion: Criterion, ensemble: str) -> None:
        """Raise SettingError for what this method cannot do, before any work."""

    def begin(self, problem: Problem, generator: torch.Generator) -> State:
        """The state before the first step: no pattern at all."""
        return State(torch.zeros(problem.images.shape[1:], device=problem.device), generator)

    def step(self, problem: Problem, state: State) -> None:
        """Move ``state.pattern`` within the ball, and count the image-gradients that it took."""
        raise NotImplementedError("A method of crafting writes `step`, or `iterate`.")

    def iterate(self, problem: Problem, state: State) -> Iterator[None]:
        """Take one ``step`` after another without end; yields after each, where the run is measured, saved, and ended."""
        while True:
            self.step(problem, state)
            yield

    def share(self, state: State) -> float:
        """The share of the run that is done, 0 to 1."""
        return state.image_gradients / self.budget

    def pauses(self, before: int, state: State) -> bool:
        """Whether to measure and save now; ``before`` image-gradients were spent before the last step."""
        return bool(self.interval) and state.image_gradients // self.interval > before // self.interval

    def may_stop(self, state: State) -> bool:
        """Whether delta counts at this pause."""
        return True

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


class _Run:
    """One run of a method on a problem: state, clock, and when to measure, save and stop."""

    def __init__(self, method: Crafter, problem: Problem, generator: torch.Generator, checkpoint: Path | None) -> None:
        self.method, self.problem, self.checkpoint = method, problem, checkpoint
        self.fingerprint = fingerprint(method, problem, generator)
        if checkpoint is not None and checkpoint.exists():
            self.state = load_state(checkpoint, self.fingerprint, generator, problem.device)
        else:
            self.state = method.begin(problem, generator)
        if not all_agree(f"{self.fingerprint} {self.state.step}"):
            raise SettingError(
                "The processes of this run do not begin alike: they need the same pictures, options and saved state."
            )
        self.started = time.perf_counter() - self.state.seconds

    def steps(self) -> Iterator[Progress]:
        state, method = self.state, self.method
        steps = method.iterate(self.problem, state)
        while method.share(state) < 1 and not state.reached:
            before = state.image_gradients
            with no_denormals():
                next(steps)
            state.step += 1
            if not method.pauses(before, state) or method.share(state) >= 1:
                yield self._progress()
                continue
            progress = self._measured()
            # Slightly below, since 1 - delta may be rounded up above an equal share.
            enough = bool(method.delta) and self._rate(progress) >= 1 - method.delta - 1e-9
            state.reached = enough and method.may_stop(state)
            self._save()
            yield progress
        self._save()
        for _pause in method.finish(self.problem, state):
            yield self._progress()
        yield self._measured(done=True)

    def _rate(self, progress: Progress) -> float:
        rate = progress.fooling_rate if self.problem.criterion.target is None else progress.target_rate
        return rate.value if rate else 0.0

    def _progress(self) -> Progress:
        state = self.state
        state.seconds = time.perf_counter() - self.started
        share = min(1.0, self.method.share(state))
        pattern = self.problem.ball.project(state.pattern).cpu()  # a method may stray while it is under way
        return Progress(state.step, state.image_gradients, state.seconds, share, pattern)

    def _measured(self, done: bool = False) -> Progress:
        progress, target = self._progress(), self.problem.criterion.target
        v = progress.perturbation
        return replace(
            progress,
            fooling_rate=self.problem.held_to(None, v),
            target_rate=None if target is None else self.problem.held_to(target, v),
            done=done,
        )

    def _save(self) -> None:
        if self.checkpoint is not None and rank_and_size()[0] == 0:
            save_state(self.state, self.checkpoint, self.fingerprint)


def fingerprint(method: Crafter, problem: Problem, generator: torch.Generator) -> str:
    """A hash of all that decides a run's result: method, criterion, ball, networks, images, and the generator's first state."""
    goal: dict[str, Any] = {} if problem.criterion.target is None else {"target": problem.criterion.target}
    goal |= {} if problem.ensemble == MEAN else {"ensemble": problem.ensemble}
    decided = [identity(method), goal, settings(problem.ball)]
    digest = hashlib.sha256(json.dumps(decided, sort_keys=True, default=repr).encode())
    for network in problem.networks:
        digest.update(f"{network.card.key} {network.weights_hash}".encode())
    for tensor in (problem.images, generator.get_state()):
        digest.update(tensor.cpu().contiguous().numpy().data)
    return digest.hexdigest()


@contextmanager
def no_denormals() -> Iterator[None]:
    """Flush denormal numbers to zero inside the context: they are slow. The mode is that of the whole thread."""
    already = not (torch.tensor(1e-40) * 0.5).any()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)
