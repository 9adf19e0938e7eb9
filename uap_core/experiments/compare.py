"""One photograph attacked in many ways: the universal pattern, random signs, and every attack that was made for one picture.

An attack may be made on one network and judged by another (grey box: whoever attacks knows a similar network only).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from uap_core.attacks.base import Attack
from uap_core.attacks.criterion import least_likely, runner_up
from uap_core.attacks.epsilon_search import LARGEST, least_epsilon
from uap_core.attacks.menu import ANY, BASELINES, FOOLED, HELD, INTO, LEAST, MENU, RUNNER_UP, SIGNS, TARGET, Item
from uap_core.attacks.result import AttackResult
from uap_core.attacks.universal import Fixed
from uap_core.errors import SettingError
from uap_core.experiments.apply import top
from uap_core.images.reading import to_array
from uap_core.metrics import psnr, ssim
from uap_core.models.classifier import Classifier
from uap_core.norms import LINF, Ball, quantise
from uap_core.perturbations.perturbation import Perturbation

OTHER_EPSILON = 10 / 255  # for attacks bounded in l_inf beside a pattern that is bounded in l2
SECONDS_BETWEEN = 0.4


@dataclass(frozen=True)
class Bout:
    """Settings of a comparison. ``goal`` is ANY, TARGET (then ``target`` is a class index) or LEAST.

    matched: bounded attacks keep within the pattern's epsilon; else each looks for the smallest at which it works.
    effort: 1 is quick; iterations of the attacks that search are multiplied by it.
    """

    goal: str = ANY
    target: int | None = None
    matched: bool = True
    effort: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Budget:
    """What an attack may spend at most on a photograph: so many of ``unit``, in each of so many ``searches``."""

    unit: str
    count: int
    searches: int = 1

    def __str__(self) -> str:
        """As files have it."""
        return f"{self.searches} x {self.count} {self.unit}" if self.searches > 1 else f"{self.count} {self.unit}"


@dataclass(frozen=True)
class Contender:
    """One attack (``key`` of BASELINES or MENU) on one photograph, as the network that judges sees it.

    ``aim`` is ANY, TARGET, LEAST or RUNNER_UP, and ``into`` the label aimed at, if any. ``budget`` is None for an attack that
    stops by itself. ``verdict`` is INTO, FOOLED or HELD for the exact picture,
    ``png_verdict`` for the same rounded to 8 bits, which ``picture`` uint8 (S,S,3) shows. Norms are of the exact change in
    units of [0,1], ``l0`` in pixels; PSNR and SSIM of the 8-bit pictures. ``at_home`` says whether it worked on the network
    that it was made on, when another one judges; ``within`` whether it keeps the epsilon that bounded attacks have, when these
    are matched.
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


@dataclass(frozen=True)
class _Task:
    """What is run for one row: labels (1,) and how to attack; ``ball`` bounds the rounded picture too, if it is known."""

    key: str
    aim: str
    into: str
    budget: Budget | None
    labels: Tensor
    targeted: bool
    stream: Callable[[], Iterator[AttackResult]]
    ball: Ball | None


def compare(
    classifier: Classifier,
    image: Tensor,
    perturbation: Perturbation,
    keys: Sequence[str],
    bout: Bout | None = None,
    judge: Classifier | None = None,
) -> Iterator[Contender]:
    """Attack one photograph by several methods and compare: rows in the order of ``keys``, each row several times.

    The patterns of BASELINES want any other label, whatever the goal.

    Args:
        classifier: the network that is attacked.
        image: (1,3,H,W) on the 8-bit grid.
        perturbation: the universal pattern that is compared with.
        keys: of ``attacks.menu.BASELINES`` and ``attacks.menu.MENU``.
        bout: goal, effort and seed.
        judge: another network, of the same size and classes, that judges what was made on ``classifier``.

    Raises:
        SettingError: a target that is already predicted, an attack that is not known, or a judge that does not fit.

    Example:
        >>> import uap_core
        >>> network, v = uap_core.load_model("resnet64"), uap_core.load_perturbation("resnet64-linf10")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=1).images()
        >>> rows = {row.key: row.verdict for row in uap_core.compare(network, x, v, ("universal", "fgsm"))}
        >>> sorted(rows)
        ['fgsm', 'universal']
    """
    bout, judge = bout or Bout(), judge or classifier
    if judge.size != classifier.size or judge.labels != classifier.labels:
        raise SettingError(f"{judge.card.name} cannot judge what was made on {classifier.card.name}: other size or classes.")
    unknown = [key for key in keys if key not in BASELINES and key not in MENU]
    if unknown:
        raise SettingError(f"There is no attack {unknown[0]!r}.")
    with torch.inference_mode():
        logits = classifier(image)
    if bout.goal == TARGET and bout.target is None:
        raise SettingError("Choose the class that the attacks should reach.")
    if bout.goal == TARGET and bout.target == int(logits.argmax()):
        raise SettingError("The target is what the network already sees. Choose another class.")
    for key in keys:
        task = (
            _baseline(key, classifier, image, perturbation, logits, bout)
            if key in BASELINES
            else _attack(MENU[key], classifier, image, perturbation, logits, bout, judge is not classifier)
        )
        shown = 0.0
        for result in task.stream():
            now = time.monotonic()
            if result.done or now - shown > SECONDS_BETWEEN:
                shown = now
                contender = _judged(task, result, judge, image, matched_epsilon(perturbation) if bout.matched else None)
                yield contender if judge is not classifier else replace(contender, at_home=None)


def matched_epsilon(perturbation: Perturbation) -> float:
    """The l_inf bound that the pattern keeps, or OTHER_EPSILON when its norm is another."""
    return perturbation.ball.radius if perturbation.ball.p == LINF else OTHER_EPSILON


def _baseline(key: str, classifier: Classifier, image: Tensor, perturbation: Perturbation, logits: Tensor, bout: Bout) -> _Task:
    ball, labels = perturbation.ball, logits.argmax(dim=1)
    if key == SIGNS:
        signs = ball.random_signs(tuple(image.shape[1:]), torch.Generator().manual_seed(bout.seed))
        perturbation = Perturbation("", signs, ball)

    def build(epsilon: float) -> Attack:
        return Fixed(perturbation.scaled_to(epsilon).pattern)

    largest = LARGEST if ball.p == LINF else 2 * ball.radius
    ways = _ways(build, ball.radius if bout.matched else None, largest, classifier, image, labels, False, bout.seed)
    return _Task(key, ANY, "", None, labels, False, ways, ball if bout.matched else None)


def _attack(
    item: Item, classifier: Classifier, image: Tensor, perturbation: Perturbation, logits: Tensor, bout: Bout, transfers: bool
) -> _Task:
    epsilon = matched_epsilon(perturbation)
    attack = item.build(epsilon, bout.effort, transfers)
    targeted_only = attack.targeted_only
    targeted = bout.goal != ANY or targeted_only
    if bout.goal == TARGET:
        labels = torch.tensor([bout.target])
    elif bout.goal == LEAST:
        labels = least_likely(logits)
    else:
        labels = runner_up(logits) if targeted_only else logits.argmax(dim=1)
    into = classifier.labels[int(labels)] if targeted else ""
    aim = RUNNER_UP if targeted and bout.goal == ANY else bout.goal
    matched = epsilon if bout.matched or not item.bounded else None
    build = partial(_built, item, bout.effort, transfers)
    ways = _ways(build, matched, LARGEST, classifier, image, labels, targeted, bout.seed)
    ball = Ball(LINF, epsilon) if item.bounded and bout.matched else None
    return _Task(item.key, aim, into, budget_of(attack), labels, targeted, ways, ball)


def budget_of(attack: Attack) -> Budget | None:
    """What an attack may spend at most on a photograph; None for one that stops by itself."""
    settings = vars(attack)
    for searches in ("search_steps", "rounds"):
        if searches in settings:
            return Budget("iterations", settings["iterations"], settings[searches])
    if "query_budget" in settings:
        return Budget("queries", settings["query_budget"])
    return Budget("steps", settings["steps"]) if "steps" in settings else None


def _built(item: Item, effort: int, transfers: bool, epsilon: float) -> Attack:
    return item.build(epsilon, effort, transfers)


def _ways(
    build: Callable[[float], Attack],
    epsilon: float | None,
    largest: float,
    classifier: Classifier,
    image: Tensor,
    labels: Tensor,
    targeted: bool,
    seed: int,
) -> Callable[[], Iterator[AttackResult]]:
    """At ``epsilon``, or at the smallest that works when there is none."""
    generator = torch.Generator().manual_seed(seed)
    if epsilon is None:
        return lambda: least_epsilon(build, largest, classifier, image, labels, targeted, generator)
    return lambda: build(epsilon).stream(classifier, image, labels, targeted, generator)


def _judged(task: _Task, result: AttackResult, judge: Classifier, image: Tensor, epsilon: float | None) -> Contender:
    rounded = quantise(image, result.adversarial, task.ball)
    with torch.inference_mode():
        before, exact, png = judge(torch.cat([image, result.adversarial, rounded])).softmax(dim=1)
    label, probability = top(judge, exact)[0]
    was, pixels, picture = int(before.argmax()), to_array(image), to_array(rounded)

    def verdict(now: Tensor) -> str:
        if task.targeted and int(now.argmax()) == int(task.labels):
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
    )
