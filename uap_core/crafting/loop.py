"""The loop that every first-order method shares: mini-batches of images, one gradient on the pattern, project, repeat.

A method is only a loss between the logits of the clean and of the perturbed images; what it descends on, fools.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from uap_core.errors import DatasetError, SettingError
from uap_core.metrics import Rate, fooling_rate
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

MEASURE_BATCH = 128


@dataclass(frozen=True)
class Progress:
    """State of a run after ``step`` steps. ``fooling_rate`` is on the craft set, None where it was not measured.

    ``perturbation`` (3,H,W) lies in the ball. ``image_gradients`` counts forward-and-backward passes of one image each.
    """

    step: int
    image_gradients: int
    fooling_rate: Rate | None
    perturbation: Tensor
    seconds: float
    done: bool = False


class Crafter(Protocol):
    """A method that finds one pattern for many images: a frozen dataclass of its hyper-parameters."""

    def craft(self, classifier: Classifier, images: Tensor, ball: Ball, generator: torch.Generator) -> Iterator[Progress]:
        """Yield progress; the last one (``done``) is the result. ``images`` is uint8 (N,3,H,W)."""
        ...


class Loss(Protocol):
    """Logits of clean and of perturbed images, (n,K) each, to one number a batch; descending on it fools."""

    def __call__(self, clean: Tensor, perturbed: Tensor) -> Tensor:
        """The value to descend on."""
        ...


@dataclass(frozen=True)
class Descent:
    """Adam on the pattern, clipped after each step, then saturated: the settings that first-order methods share.

    steps: gradient steps at most; batch_size: images a step; rate: Adam's rate as a share of the ball's radius, falling
    linearly to zero; measure_every: steps between measurements on the craft set; delta: stop when 1 - delta of the craft
    set is fooled (0 runs all steps).
    """

    steps: int = 800
    batch_size: int = 8
    rate: float = 1.0
    measure_every: int = 100
    delta: float = 0.0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch_size, self.measure_every) < 1:
            raise SettingError("Steps, batch size and steps between measurements must be at least 1.")

    def run(
        self, loss: Loss, classifier: Classifier, images: Tensor, ball: Ball, generator: torch.Generator
    ) -> Iterator[Progress]:
        """Minimise ``loss`` over the pattern. See ``Crafter.craft``."""
        if not len(images):
            raise DatasetError("There are no images to craft on.")
        started = time.perf_counter()
        clean = clean_logits(classifier, images)
        # Not quite zero: there a loss may have no slope (a cosine of logits has none), and rounding would choose the way.
        v = 0.1 * ball.random_signs(tuple(images.shape[1:]), generator)
        first, second = torch.zeros_like(v), torch.zeros_like(v)
        gradients = 0
        batches = endless_batches(len(images), self.batch_size, generator)
        for step in range(1, self.steps + 1):
            torch.set_flush_denormal(True)  # tiny Adam moments are slow; for a step only, since the mode is the thread's
            batch = next(batches)
            gradient = pattern_gradient(loss, classifier, images[batch], clean[batch], v)
            gradients += len(batch)
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            direction = (first / (1 - 0.9**step)) / ((second / (1 - 0.999**step)).sqrt() + 1e-12)
            size = self.rate * _largest_value(ball, v) * (1 - (step - 1) / self.steps)
            v = ball.project(v - size * direction)
            torch.set_flush_denormal(False)
            if step % self.measure_every == 0 and step < self.steps:
                rate = craft_rate(classifier, images, clean.argmax(dim=1), v)
                yield Progress(step, gradients, rate, v.clone(), time.perf_counter() - started)
                if self.delta and rate.value >= 1 - self.delta:
                    break
            else:
                yield Progress(step, gradients, None, v, time.perf_counter() - started)
        v = self._better_saturated(classifier, images, clean.argmax(dim=1), ball, v)
        rate = craft_rate(classifier, images, clean.argmax(dim=1), v)
        yield Progress(step, gradients, rate, v, time.perf_counter() - started, done=True)

    def _better_saturated(self, classifier: Classifier, images: Tensor, labels: Tensor, ball: Ball, v: Tensor) -> Tensor:
        """v pushed out to the surface of the ball, if that fools no fewer craft images."""
        full = ball.fill(v)
        before, after = (craft_rate(classifier, images, labels, pattern) for pattern in (v, full))
        return full if after.count >= before.count else v


def _largest_value(ball: Ball, v: Tensor) -> float:
    """What a value of a pattern of this ball typically reaches: the unit for step sizes, in l_inf and in l2 alike."""
    return ball.radius if ball.p == "linf" else ball.radius / v.numel() ** 0.5


@torch.inference_mode()
def clean_logits(classifier: Classifier, images: Tensor) -> Tensor:
    """Logits (N,K) of uint8 ``images`` (N,3,H,W), computed once for a whole run."""
    return torch.cat([classifier(part.float() / 255) for part in images.split(MEASURE_BATCH)]).clone()


@torch.inference_mode()
def craft_rate(classifier: Classifier, images: Tensor, labels: Tensor, v: Tensor) -> Rate:
    """Fooling rate of ``v`` on uint8 ``images`` whose clean predictions are ``labels``."""
    parts = [classifier((part.float() / 255 + v).clamp(0, 1)).argmax(dim=1) for part in images.split(MEASURE_BATCH)]
    return fooling_rate(labels, torch.cat(parts))


def pattern_gradient(loss: Loss, classifier: Classifier, batch: Tensor, clean: Tensor, v: Tensor) -> Tensor:
    """d loss / d v (3,H,W) for one batch of uint8 images; the clamp to [0,1] is part of what is differentiated."""
    v = v.detach().requires_grad_(True)
    value = loss(clean, classifier((batch.float() / 255 + v).clamp(0, 1)))
    return torch.autograd.grad(value, v)[0]


def endless_batches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Index batches, reshuffled at every pass; a set smaller than ``size`` comes whole."""
    while True:
        order = torch.randperm(count, generator=generator)
        whole = count - count % size or count
        yield from order[:whole].split(min(size, count))
