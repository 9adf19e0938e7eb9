"""Does adversarial training regularise, and more than dropout? What else holds errors down, and confidence?

Learnt from 1000 drawn digits, several times over: each seed draws other digits, other first weights and another order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.attacks.fgsm import FGSM
from uap_core.datasets.digits import draw
from uap_core.experiments.small_networks.learners import TEST_SEED, TESTED, as_classifier, read_right
from uap_core.experiments.small_networks.universal import universal_row
from uap_core.identity import settings
from uap_core.metrics import Rate
from uap_core.models.architectures.small import confidences, fully_connected, lipschitz_bound
from uap_core.training.small import Lesson, centred, each_alone, teach

PICTURES, SEEDS, FIRST_SEED = 1000, 5, 100
UNITS = 8  # of RBF, for each class
FGSM_EPSILON = 0.25
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # 97.5 % points of t for so many seeds


@dataclass(frozen=True)
class Arm:
    """A way to teach 200-200 ReLU units, or RBF units in their place."""

    lesson: Lesson
    dropout: float = 0.0
    rbf: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """What a provenance states of it."""
        return {"lesson": settings(self.lesson), "dropout": self.dropout, "rbf": self.rbf}


BASE = Lesson(epochs=25, batch=50, epsilon=0.05)
ARMS = {
    "plain": Arm(BASE),
    "dropout": Arm(BASE, dropout=0.5),
    "mixture": Arm(replace(BASE, alpha=0.5)),
    "both": Arm(replace(BASE, alpha=0.5), dropout=0.5),
    "lipschitz": Arm(replace(BASE, penalty=0.1)),
    "rbf": Arm(replace(BASE, rate=1e-2), rbf=True),
}
ALPHAS = (0.0, 0.25, 0.75)  # beside 0.5 (the mixture) and 1 (plain)


def mixture(alpha: float) -> Arm:
    """The mixture of clean and attacked loss (Goodfellow et al., 2015) by ``alpha``. Raises SettingError outside 0 to 1."""
    return Arm(replace(BASE, alpha=alpha))


@dataclass(frozen=True)
class RegulariserRow:
    """One network that has learnt: ``errors`` on digits never seen, clean; ``attacked``: errors under FGSM of FGSM_EPSILON.

    ``sure`` and ``sure_when_wrong``: mean confidence on clean digits, and on the attacked ones that it misreads (None: none).
    ``bound``: upper bound of its Lipschitz constant, None for RBF units. ``universal``: how often one pattern fools it, None
    where that was not measured.
    """

    arm: str
    alpha: float
    seed: int
    errors: Rate
    attacked: Rate
    sure: float
    sure_when_wrong: float | None
    bound: float | None
    universal: Rate | None


def regulariser_row(key: str, arm: Arm, seed: int, with_pattern: bool = True) -> Iterator[RegulariserRow | float]:
    """Teach a network by ``arm`` and measure it: shares of the learning, and last the row, to which the universal pattern
    is left out unless ``with_pattern``."""
    x, y = draw(PICTURES, FIRST_SEED + seed)
    network, objective = _begun(arm, seed, x, y), each_alone if arm.rbf else F.cross_entropy
    yield from teach(network, x, y, replace(arm.lesson, seed=seed), objective)
    tested, truth = draw(TESTED, TEST_SEED)
    right = read_right(network, tested, truth)
    classifier = as_classifier(network, key, key)
    wide = tested.expand(-1, 3, -1, -1)
    attacked = FGSM(FGSM_EPSILON)(classifier, wide, truth).adversarial
    with torch.inference_mode():
        clean, after = network(wide), network(attacked)
    wrong = after.argmax(dim=1) != truth
    sure = confidences(network, after)[wrong]
    yield RegulariserRow(
        key,
        arm.lesson.alpha,
        seed,
        Rate(right.total - right.count, right.total),
        Rate(int(wrong.sum()), len(truth)),
        float(confidences(network, clean).mean()),
        float(sure.mean()) if len(sure) else None,
        lipschitz_bound(network),
        universal_row(classifier).fooled if with_pattern else None,
    )


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean over seeds with the ends of its 95 % interval (Student's t); of a single one the ends are the value."""
    middle = mean(values)
    if len(values) < 2:
        return middle, middle, middle
    half = STUDENT.get(len(values), 2.0) * stdev(values) / math.sqrt(len(values))
    return middle, middle - half, middle + half


def _begun(arm: Arm, seed: int, x: Tensor, y: Tensor) -> nn.Module:
    if arm.rbf:
        return centred(x, y, UNITS)
    with torch.random.fork_rng():  # layers draw their first weights from torch's global generator
        torch.manual_seed(seed)
        return fully_connected(200, 200, activation=nn.ReLU, dropout=arm.dropout)
