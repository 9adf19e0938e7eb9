"""The small networks of Szegedy et al. (ICLR 2014), Tables 1 and 4, and how each is taught on drawn digits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from uap_core.datasets.digits import CLASSES, SIDE, draw
from uap_core.identity import settings
from uap_core.metrics import Rate, accuracy, predict
from uap_core.models.architectures.small import fully_connected
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.training.small import Lesson, teach, teach_code

Step = TypeVar("Step")

TAUGHT, TESTED = 6000, 2000  # digits to learn from, and to measure accuracy on
LEARNING_SEED, TEST_SEED = 0, 1  # of the drawing


PLAIN = Lesson()


@dataclass(frozen=True)
class Learner:
    """A small network: ``hidden`` units, or a sparse ``code`` of so many with a classifier on it; ``half`` 1 or 2 of the
    digits, or 0 for all; ``name`` is what the paper calls it."""

    key: str
    name: str
    hidden: tuple[int, ...] = ()
    code: int = 0
    half: int = 0
    lesson: Lesson = PLAIN

    @property
    def settings(self) -> dict[str, Any]:
        """What a provenance states of it."""
        return {"hidden": list(self.hidden), "code": self.code, "half": self.half, "lesson": settings(self.lesson)}


SIX = (
    Learner("fc10-weak", "FC10(1e-4)", lesson=Lesson(decay=1e-4)),
    Learner("fc10-middle", "FC10(1e-2)", lesson=Lesson(decay=1e-2)),
    Learner("fc10-strong", "FC10(1)", lesson=Lesson(decay=1.0)),
    Learner("fc100", "FC100-100-10", (100, 100), lesson=Lesson(decay=1e-6)),
    Learner("fc200", "FC200-200-10", (200, 200), lesson=Lesson(decay=1e-6)),
    Learner("ae400", "AE400-10", code=400, lesson=Lesson(epochs=20, rate=5e-3, decay=1e-6)),
)
HALVES = (
    Learner("fc100-p1", "FC100-100-10", (100, 100), half=1, lesson=Lesson(epochs=20)),
    Learner("fc123-p1", "FC123-456-10", (123, 456), half=1, lesson=Lesson(epochs=20)),
    Learner("fc100-p2", "FC100-100-10'", (100, 100), half=2, lesson=Lesson(epochs=20, seed=1)),
)
CODE_LESSON = Lesson(epochs=8)
NAMES = {learner.key: learner.name for learner in (*SIX, *HALVES)}


@dataclass(frozen=True)
class Taught:
    """A learner that has learnt, and how many digits that it never saw it reads."""

    learner: Learner
    classifier: Classifier
    accuracy: Rate


def taught(learners: Sequence[Learner]) -> Iterator[Taught | float]:
    """Teach each of ``learners`` in turn: the share of all the work after each epoch, and each of them once it has learnt.

    P1 and P2 are the two halves of the digits, with no picture in common.
    """
    x, y = draw(TAUGHT, LEARNING_SEED)
    tested = draw(TESTED, TEST_SEED)
    for number, learner in enumerate(learners):
        mine = slice(None) if not learner.half else slice(learner.half - 1, None, 2)
        for step in _by_itself(_learning(learner, x[mine], y[mine]), 10 * learner.half + number):
            if isinstance(step, float):
                yield (number + step) / len(learners)
            else:
                yield Taught(learner, as_classifier(step, learner.key, learner.name), read_right(step, *tested))


def _by_itself(steps: Iterator[Step], seed: int) -> Iterator[Step]:
    """``steps`` with torch's global generator as ``seed`` sets it, from which layers draw their first weights.

    Whoever takes the steps has the generator back in between: neither's draws change the other's.
    """
    state = torch.Generator().manual_seed(seed).get_state()
    while True:
        with torch.random.fork_rng():
            torch.set_rng_state(state)
            step = next(steps, None)
            state = torch.get_rng_state()
        if step is None:
            return
        yield step


def read_right(network: nn.Module, x: Tensor, y: Tensor) -> Rate:
    """How many of the digits ``x`` (N,1,28,28) a network says to be what they are."""
    return accuracy(predict(network, x.split(500)), y)


def as_classifier(network: nn.Module, key: str, name: str) -> Classifier:
    """A taught network as attacks and crafting methods take it: images (N,3,28,28), ten classes. Its weights are frozen."""
    card = Card(key, name, "embedded", "", SIDE, SIDE, "none", "taught on drawn digits")
    return Classifier(network, card, CLASSES, CLASSES)


def _learning(learner: Learner, x: Tensor, y: Tensor) -> Iterator[nn.Module | float]:
    """Shares of the work, and last the network."""
    if not learner.code:
        network = fully_connected(*learner.hidden)
        yield from teach(network, x, y, learner.lesson)
        yield network
        return
    encoder = nn.Module()
    for step in teach_code(learner.code, x, replace(CODE_LESSON, seed=learner.lesson.seed)):
        if isinstance(step, float):
            yield step * 0.6
        else:
            encoder = step.requires_grad_(False)
    with torch.no_grad():
        codes = encoder(x)
    top = nn.Linear(learner.code, len(CLASSES))
    for share in teach(top, codes, y, learner.lesson):
        yield 0.6 + 0.4 * share
    yield nn.Sequential(encoder, top)
