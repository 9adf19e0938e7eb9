"""One run of a crafting method: its clock, and when to measure, save and stop."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from uap_core.crafting.distributed import all_agree, rank_and_size
from uap_core.crafting.problem import MEAN, Problem
from uap_core.crafting.state import load_state, save_state
from uap_core.errors import SettingError
from uap_core.identity import identity, settings
from uap_core.metrics import Rate
from uap_core.models.denormals import no_denormals

if TYPE_CHECKING:
    from uap_core.crafting.base import Crafter


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


class CraftRun:
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
                "The processes of this run start differently: they need the same pictures, options and saved state."
            )
        self.started = time.perf_counter() - self.state.seconds

    def steps(self) -> Iterator[Progress]:
        """Run to the end; the last progress is the result."""
        state, method = self.state, self.method
        steps = method.iterate(self.problem, state)
        while self._share() < 1 and not state.reached:
            before = state.image_gradients
            with no_denormals():
                measure = next(steps, None)
            if measure is None:
                break
            state.step += 1
            every = method.interval
            measure |= bool(every) and state.image_gradients // every > before // every
            if not measure or self._share() >= 1:
                yield self._progress()
                continue
            progress = self._measured()
            state.reached = not method.ends_itself and self._rate(progress) >= method.enough
            self._save()
            yield progress
        self._save()
        for _pause in method.finish(self.problem, state):
            yield self._progress()
        yield self._measured(done=True)

    def _share(self) -> float:
        return self.method.share(self.problem, self.state)

    def _rate(self, progress: Progress) -> float:
        rate = progress.fooling_rate if self.problem.criterion.target is None else progress.target_rate
        return rate.value if rate else 0.0

    def _progress(self) -> Progress:
        state = self.state
        state.seconds = time.perf_counter() - self.started
        share = min(1.0, self._share())
        pattern = self.problem.ball.project(state.pattern).cpu()  # a method may stray while it is under way
        return Progress(state.step, state.image_gradients, state.seconds, share, pattern)

    def _measured(self, done: bool = False) -> Progress:
        progress, target = self._progress(), self.problem.criterion.target
        if not len(self.problem.images):
            return replace(progress, done=done)
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
