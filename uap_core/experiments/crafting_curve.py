"""A crafting run step by step, with fooling rates on held-out images at planned points."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.base import Crafter, Progress
from uap_core.crafting.problem import predicted
from uap_core.datasets.image_sets import ImageSet
from uap_core.metrics import Rate, fooling_rate, predict, target_rate
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

POINTS = 8


@dataclass(frozen=True)
class Point:
    """The rates of a pattern on the watched images after ``image_gradients``.

    ``fooled``: any change of the prediction. ``reached``, of a run with a target: images that become it, among those that were
    something else.
    """

    image_gradients: int
    fooled: Rate
    reached: Rate | None = None

    @property
    def aimed_at(self) -> Rate:
        """The rate that the run maximises."""
        return self.fooled if self.reached is None else self.reached


@dataclass(frozen=True)
class Watch:
    """``images`` that no run sees, with their ``clean`` predictions (N,) under ``classifier``, computed once."""

    classifier: Classifier
    images: ImageSet
    clean: Tensor
    target: int | None = None

    @classmethod
    def over(cls, classifier: Classifier, images: ImageSet, criterion: Criterion) -> Watch:
        """Look at the clean images; of ``criterion`` its target counts."""
        return cls(classifier, images, predict(classifier, images.batches()), criterion.target)

    def under(self, pattern: Tensor, image_gradients: int = 0) -> Point:
        """Measure ``pattern`` (3,S,S)."""
        now = predicted(self.classifier, self.images.pixels, pattern)
        fooled = fooling_rate(self.clean, now)
        if self.target is None:
            return Point(image_gradients, fooled)
        return Point(image_gradients, fooled, target_rate(self.clean, now, self.target))


@dataclass(frozen=True)
class Stage:
    """The run after one more step. ``progress.seconds`` are those of crafting alone, without measuring and without the
    caller's time between two stages. ``point`` is None where the watched images were not measured, ``craft_point`` where
    those of the craft set were not. ``reached``: the run ends here, since enough of the latter reach the goal."""

    progress: Progress
    point: Point | None
    craft_point: Point | None = None
    reached: bool = False


def planned_points(budget: int, count: int = POINTS) -> list[int]:
    """Image-gradients after which to measure: dense at the start, the last one is the whole ``budget``."""
    return [max(1, round(budget * (place / count) ** 2)) for place in range(1, count + 1)]


def evolve(
    crafter: Crafter,
    craft: ImageSet | None,
    watch: Watch,
    ball: Ball,
    seed: int,
    known: Watch | None = None,
    delta: float = 0.0,
) -> Iterator[Stage]:
    """Craft on ``craft`` (None for a method that needs no images) for the network and the target of ``watch``; measured when a
    planned point is passed, and at the end.

    ``known``, some of the craft set, is looked at beside the watched images; with a ``delta`` the run ends at the first such
    point where 1 - delta of it reach the goal. Neither changes the way there. Raises what ``Crafter.craft`` raises.
    """
    left, elsewhere = planned_points(crafter.budget), 0.0
    criterion = Criterion() if watch.target is None else Criterion.into(watch.target)
    pixels = None if craft is None else craft.pixels
    run = crafter.craft(watch.classifier, pixels, ball, torch.Generator().manual_seed(seed), criterion=criterion)
    for progress in run:
        paused = time.perf_counter()
        spent = progress.image_gradients
        # The last step is followed by post-processing, whose result is measured.
        due = progress.done or (progress.share < 1 and bool(left) and spent >= left[0])
        left = [point for point in left if point > spent]
        point = watch.under(progress.perturbation, spent) if due else None
        beside = known.under(progress.perturbation, spent) if due and known else None
        # A hair below, since 1 - delta may round to just above a share that is exactly it.
        reached = bool(delta) and beside is not None and beside.aimed_at.value >= 1 - delta - 1e-9
        yield Stage(replace(progress, seconds=progress.seconds - elsewhere), point, beside, reached)
        if reached:
            return
        elsewhere += time.perf_counter() - paused
