"""One row of a comparison: the attack on a photograph, and the target model's predictions on the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from uap_core.attacks.criterion import Criterion
from uap_core.attacks.menu import FOOLED, HELD, INTO
from uap_core.attacks.result import AttackResult, Trial
from uap_core.experiments.apply import top
from uap_core.experiments.pattern_alone import GREY
from uap_core.images.reading import to_array
from uap_core.metrics import psnr, ssim
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball, quantise
from uap_core.perturbations.perturbation import apply


@dataclass(frozen=True)
class Budget:
    """The budget of an attack on one photograph: ``count`` times ``unit`` in each of ``searches``."""

    unit: str
    count: int
    searches: int = 1

    def __str__(self) -> str:
        """As written to files."""
        return f"{self.searches} x {self.count} {self.unit}" if self.searches > 1 else f"{self.count} {self.unit}"


@dataclass(frozen=True)
class Contender:
    """One attack (``key`` of BASELINES or MENU) on one photograph, evaluated on the target model.

    ``aim`` is ANY, TARGET, LEAST or RUNNER_UP, and ``into`` the label aimed at, if any. ``budget`` is None for an attack that
    stops by itself. ``verdict`` is INTO, FOOLED or HELD for the exact picture,
    ``png_verdict`` for the same rounded to 8 bits, which ``picture`` uint8 (S,S,3) shows. Norms are of the exact change in
    units of [0,1], ``l0`` in pixels; PSNR and SSIM of the 8-bit pictures. ``at_home`` says whether it succeeded on the
    network that it was made on, if the target model is another; ``within`` whether it stays within the epsilon of bounded
    attacks, if these are matched. ``p`` is that of the norm which was chosen for an attack for any norm; ``trials`` are the
    values of c that an attack tried. ``alone`` is the label of the change by itself, around mid-grey, once the attack is done.
    """

    key: str
    aim: str
    into: str
    budget: Budget | None
    picture: np.ndarray
    label: str
    probability: float
    verdict: str
    png_label: str
    png_verdict: str
    at_home: bool | None
    within: bool | None
    linf: float
    l2: float
    l0: int
    psnr: float
    ssim: float
    gradients: int
    queries: int
    seconds: float
    share: float = 1.0
    done: bool = True
    p: float | None = None
    trials: tuple[Trial, ...] = ()
    alone: str = ""


@dataclass(frozen=True)
class Task:
    """What is run for one row: what counts as success, and how to attack; ``ball`` bounds the rounded picture too, if known."""

    key: str
    aim: str
    into: str
    budget: Budget | None
    criterion: Criterion
    stream: Callable[[], Iterator[AttackResult]]
    ball: Ball | None
    p: float | None = None


def judged(task: Task, result: AttackResult, judge: Classifier, image: Tensor, epsilon: float | None) -> Contender:
    """The row of ``result``: predictions of ``judge`` on the clean ``image`` (1,3,H,W), the exact and the 8-bit result."""
    rounded = quantise(image, result.adversarial, task.ball)
    with torch.inference_mode():
        before, exact, png = judge(torch.cat([image, result.adversarial, rounded])).softmax(dim=1)
        alone = judge(apply(torch.full_like(image, GREY), rounded - image)) if result.done else None
    label, probability = top(judge, exact)[0]
    was, pixels, picture = int(before.argmax()), to_array(image), to_array(rounded)

    def verdict(now: Tensor) -> str:
        if task.criterion.targeted and bool(task.criterion.reached(now[None])):
            return INTO
        return FOOLED if int(now.argmax()) != was else HELD

    linf = float(result.linf)
    return Contender(
        task.key,
        task.aim,
        task.into,
        task.budget,
        picture,
        label,
        probability,
        verdict(exact),
        judge.labels[int(png.argmax())],
        verdict(png),
        bool(result.success),
        None if epsilon is None else linf <= epsilon + 1e-6,
        linf,
        float(result.l2),
        int(result.l0),
        psnr(pixels, picture),
        ssim(pixels, picture),
        int(result.gradients),
        int(result.queries),
        result.seconds,
        result.share,
        result.done,
        task.p,
        result.trials,
        "" if alone is None else judge.labels[int(alone.argmax())],
    )
