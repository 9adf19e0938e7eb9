"""Attack one photograph in many ways: the universal pattern, random signs, and attacks on single images.

An attack may be made on one network and evaluated on another target model (transfer attack, grey box).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from uap_core.attacks.base import Attack, check_images
from uap_core.attacks.criterion import Criterion, least_likely, runner_up
from uap_core.attacks.epsilon_search import LARGEST, least_epsilon
from uap_core.attacks.menu import ANY, BASELINES, LEAST, MENU, RUNNER_UP, SIGNS, TARGET, Item
from uap_core.attacks.result import AttackResult
from uap_core.attacks.universal import Fixed
from uap_core.checks import check_type
from uap_core.errors import SettingError
from uap_core.experiments.contender import Budget as Budget
from uap_core.experiments.contender import Contender as Contender
from uap_core.experiments.contender import Task, judged
from uap_core.models.classifier import Classifier
from uap_core.norms import LINF, Ball, of_levels
from uap_core.perturbations.perturbation import Perturbation

OTHER_EPSILON = of_levels(10)  # of attacks bounded in l_inf when the pattern is bounded in l2
SECONDS_BETWEEN = 0.4


@dataclass(frozen=True)
class Bout:
    """Settings of a comparison. ``goal`` is ANY, TARGET (then ``target`` is a class index) or LEAST.

    matched: bounded attacks keep within the pattern's epsilon; else each looks for the smallest at which it works.
    effort: 1 is quick; iterations of the attacks that search are multiplied by it, shared out between the values of c and the
    steps for each. p: of the norm that attacks for any norm keep small, from 1 to infinity.
    """

    goal: str = ANY
    target: int | None = None
    matched: bool = True
    effort: int = 1
    seed: int = 0
    p: float = 2.0


def compare(
    classifier: Classifier,
    image: Tensor,
    perturbation: Perturbation,
    keys: Sequence[str],
    bout: Bout | None = None,
    judge: Classifier | None = None,
) -> Iterator[Contender]:
    """Attack one photograph by several methods and compare: rows in the order of ``keys``, each row several times.

    The patterns of BASELINES always aim at any other label.

    Args:
        classifier: the network that is attacked.
        image: (1,3,H,W) on the 8-bit grid.
        perturbation: the universal pattern that is compared with.
        keys: of ``attacks.menu.BASELINES`` and ``attacks.menu.MENU``.
        bout: goal, effort and seed.
        judge: the target model on which attacks made on ``classifier`` are evaluated, of the same size and classes.

    Raises:
        SettingError: a target that is already predicted or no class, an unknown attack, or a target model that does not fit.

    Example:
        >>> import uap_core
        >>> network, v = uap_core.load_model("resnet64"), uap_core.load_perturbation("resnet64-linf10")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=1).images()
        >>> rows = {row.key: row.verdict for row in uap_core.compare(network, x, v, ("universal", "fgsm"))}
        >>> sorted(rows)
        ['fgsm', 'universal']
    """
    check_type("keys", keys, (tuple, list), "a tuple or list of keys of attacks")
    for key in keys:
        check_type("the key of an attack", key, str, "a text")
    check_type("a perturbation", perturbation, Perturbation, "a Perturbation")
    check_images(classifier, image)
    bout, judge = Bout() if bout is None else bout, judge or classifier
    if judge.size != classifier.size or judge.labels != classifier.labels:
        raise SettingError(f"{judge.card.name} cannot judge what was made on {classifier.card.name}: other size or classes.")
    unknown = [key for key in keys if key not in BASELINES and key not in MENU]
    if unknown:
        raise SettingError(f"There is no attack {unknown[0]!r}.")
    with torch.inference_mode():
        logits = classifier(image)
    if bout.goal == TARGET and bout.target is None:
        raise SettingError("Choose the class that the attacks should reach.")
    if bout.target is not None:
        classifier.index_of(bout.target)
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
                contender = judged(task, result, judge, image, matched_epsilon(perturbation) if bout.matched else None)
                yield contender if judge is not classifier else replace(contender, at_home=None)


def matched_epsilon(perturbation: Perturbation) -> float:
    """The l_inf bound that the pattern keeps, or OTHER_EPSILON when its norm is another."""
    return perturbation.ball.radius if perturbation.ball.p == LINF else OTHER_EPSILON


def _baseline(key: str, classifier: Classifier, image: Tensor, perturbation: Perturbation, logits: Tensor, bout: Bout) -> Task:
    ball = perturbation.ball
    if key == SIGNS:
        signs = ball.random_signs(tuple(image.shape[1:]), torch.Generator().manual_seed(bout.seed))
        perturbation = Perturbation("", signs, ball)

    def build(epsilon: float) -> Attack:
        return Fixed(perturbation.scaled_to(epsilon).pattern)

    largest = LARGEST if ball.p == LINF else 2 * ball.radius
    criterion = Criterion(logits.argmax(dim=1))
    stream = _stream(build, ball.radius if bout.matched else None, largest, classifier, image, criterion, bout.seed)
    return Task(key, ANY, "", None, criterion, stream, ball if bout.matched else None)


def _attack(
    item: Item, classifier: Classifier, image: Tensor, perturbation: Perturbation, logits: Tensor, bout: Bout, transfers: bool
) -> Task:
    epsilon = matched_epsilon(perturbation)
    attack = item.build(epsilon, bout.effort, transfers, bout.p)
    aim = RUNNER_UP if attack.targeted_only and bout.goal == ANY else bout.goal
    criterion = _criterion(aim, logits, bout.target)
    into = classifier.labels[int(criterion.y)] if criterion.targeted else ""
    matched = epsilon if bout.matched or not item.bounded else None

    def build(epsilon: float) -> Attack:
        return item.build(epsilon, bout.effort, transfers, bout.p)

    stream = _stream(build, matched, LARGEST, classifier, image, criterion, bout.seed)
    ball = Ball(LINF, epsilon) if item.bounded and bout.matched else None
    minimised = bout.p if item.any_norm else None
    return Task(item.key, aim, into, budget_of(attack), criterion, stream, ball, minimised)


def _criterion(aim: str, logits: Tensor, target: int | None) -> Criterion:
    """What counts as success for one photograph with ``logits`` (1,K)."""
    if aim == TARGET and target is not None:
        return Criterion.into(torch.tensor([target]))
    if aim == LEAST:
        return Criterion.into(least_likely(logits))
    return Criterion.into(runner_up(logits)) if aim == RUNNER_UP else Criterion(logits.argmax(dim=1))


def budget_of(attack: Attack) -> Budget | None:
    """The budget of an attack on one photograph; None for one without a limit."""
    settings = vars(attack)
    for searches in ("search_steps", "rounds"):
        if searches in settings:
            return Budget("iterations", settings["iterations"], settings[searches])
    if "query_budget" in settings:
        return Budget("queries", settings["query_budget"])
    return Budget("steps", settings["steps"]) if "steps" in settings else None


def _stream(
    build: Callable[[float], Attack],
    epsilon: float | None,
    largest: float,
    classifier: Classifier,
    image: Tensor,
    criterion: Criterion,
    seed: int,
) -> Callable[[], Iterator[AttackResult]]:
    """The attack at ``epsilon``, or at the smallest that succeeds when it is None."""
    generator = torch.Generator().manual_seed(seed)
    if epsilon is None:
        return lambda: least_epsilon(build, largest, classifier, image, criterion, generator)
    return lambda: build(epsilon).stream(classifier, image, criterion, generator=generator)
