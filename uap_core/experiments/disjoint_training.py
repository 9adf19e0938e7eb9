"""Do examples fool a network that never saw the same pictures? (Szegedy et al., ICLR 2014, section 4.2, Tables 3 and 4.)

Two halves with no image in common; one architecture trained on each, another one on the first; examples made on each of the
three, tested on the others, compared with noise of the same size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from uap_core.attacks.base import Attack
from uap_core.datasets import digits
from uap_core.datasets.image_sets import ImageSet, open_splits
from uap_core.errors import DatasetError
from uap_core.experiments.origins import MatrixRow
from uap_core.experiments.transfer_examples import cross_model
from uap_core.metrics import Rate
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier, Normalise
from uap_core.training.loop import train
from uap_core.training.recipe import Recipe

SIDE, CLASSES = 32, 10
DRAWN, DRAWN_HELD_OUT = 2000, 200  # digits, where no photographs are
RECIPE = Recipe(
    epochs=14,
    batch_size=50,
    peak_rate=0.1,
    smallest_crop=0.5,
    colour=0.1,
    mix_chance=0.0,
    size=SIDE,
    small_size=SIDE,
    large_size=SIDE,
    view_size=SIDE,
    average_decay=0.98,
)


def convolutions(kernel: int, *widths: int) -> Callable[[int], nn.Module]:
    """A builder, from the number of classes, of convolutions of these ``widths``, the first two with stride 2."""

    def build(classes: int) -> nn.Module:
        layers: list[nn.Module] = []
        for number, (before, after) in enumerate(zip((3, *widths), widths, strict=False)):
            stride = 2 if number < 2 else 1
            convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
            layers += [convolution, nn.BatchNorm2d(after), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * widths[-1], classes))

    return build


@dataclass(frozen=True)
class Learner:
    """A small network of convolutions of these ``widths``, to be trained on ``half`` 1 or 2; displayed as ``letter``."""

    key: str
    letter: str
    kernel: int
    widths: tuple[int, ...]
    half: int

    @property
    def settings(self) -> dict[str, Any]:
        """What the network is, and what it learns from."""
        return {"kernel": self.kernel, "widths": list(self.widths), "half": self.half}

    @property
    def name(self) -> str:
        """Letter, widths and half."""
        shape = f"{self.letter}: {'-'.join(map(str, self.widths))}"
        return f"{shape}, half {self.half}"

    def build(self, classes: int) -> nn.Module:
        """The untrained network."""
        return convolutions(self.kernel, *self.widths)(classes)


LEARNERS = (
    Learner("a1", "A", 3, (16, 32, 64), 1),
    Learner("a2", "A'", 3, (16, 32, 64), 2),
    Learner("b1", "B", 5, (24, 48), 1),
)
LEARNER_NAMES = {learner.key: learner.name for learner in LEARNERS}


@dataclass(frozen=True)
class LearnerRow:
    """One finished epoch of one network (key), and how many held-out images it names rightly then; ``share`` of all epochs."""

    network: str
    epoch: int
    accuracy: Rate
    share: float


def open_for_halves(source: str | Path, limit: int | None = None) -> tuple[ImageSet, ImageSet]:
    """Craft and held-out images of at most CLASSES classes of a folder or zip, SIDE pixels a side; see ``open_splits``."""
    return open_splits(source, SIDE, SIDE, limit, classes=CLASSES)


def draw_for_halves() -> tuple[ImageSet, ImageSet]:
    """Craft and held-out digits, drawn offline, with a margin to SIDE pixels a side; they have no picture in common."""
    from torch.nn import functional as F

    margin = (SIDE - digits.SIDE) // 2
    craft, held_out = digits.digit_set(DRAWN, seed=1), digits.digit_set(DRAWN_HELD_OUT, seed=2)
    return tuple(replace(part, pixels=F.pad(part.pixels, (margin,) * 4)) for part in (craft, held_out))  # type: ignore[return-value]


def halves(images: ImageSet, generator: torch.Generator) -> tuple[ImageSet, ImageSet]:
    """Two sets with no image in common, drawn at random; each class is shared out evenly, to one image."""
    mixed = images.shuffled(generator)
    order = torch.tensor(sorted(range(len(mixed)), key=lambda i: mixed.classes[i]), dtype=torch.long)
    first, second = mixed.subset(order[::2]), mixed.subset(order[1::2])
    return replace(first, name=f"{images.name}, half 1"), replace(second, name=f"{images.name}, half 2")


def cross_training(
    craft: ImageSet, held_out: ImageSet, attacks: Mapping[str, Attack], seed: int, recipe: Recipe = RECIPE
) -> Iterator[LearnerRow | MatrixRow]:
    """Train the LEARNERS, a row an epoch; then the rows of ``cross_model`` for the ``attacks`` by their keys in the menu.

    Examples are made from ``held_out``, which none of the networks was trained on. First weights differ from network to
    network. Raises DatasetError for fewer than two classes, classes that differ between the sets, or less than a batch a half.
    """
    classes = tuple(sorted(set(craft.classes)))
    if len(classes) < 2:
        raise DatasetError(f"{craft.name!r} has one class: training needs pictures in a folder a class, two at least.")
    parts = [(half.pixels, _truth(half, classes)) for half in halves(craft, torch.Generator().manual_seed(seed))]
    tested, networks = (held_out.pixels, _truth(held_out, classes)), []
    for number, learner in enumerate(LEARNERS):
        own = replace(recipe, seed=len(LEARNERS) * seed + number)
        with torch.random.fork_rng():  # layers draw their first weights from torch's global generator
            torch.manual_seed(own.seed)
            network = learner.build(len(classes))
        with TemporaryDirectory() as folder:
            for row in train(network, parts[learner.half - 1], tested, own, Path(folder) / "learner.ckpt"):
                share = (number + row.epoch / recipe.epochs) / len(LEARNERS)
                right = Rate(round(row.top1 * len(held_out)), len(held_out))
                yield LearnerRow(learner.key, row.epoch, right, share)
        networks.append(_classifier(learner, network, classes))
    for key, attack in attacks.items():
        yield from cross_model(networks, held_out, attack, key, seed)


def _truth(images: ImageSet, classes: tuple[str, ...]) -> Tensor:
    truth = images.truth(classes)
    if truth is None:
        raise DatasetError("The held-out images have classes that the craft images lack.")
    return truth


def _classifier(learner: Learner, network: nn.Module, classes: tuple[str, ...]) -> Classifier:
    card = Card(learner.key, learner.name, "embedded", "", SIDE, SIDE, "none", "trained for this table")
    return Classifier(nn.Sequential(Normalise(), network), card, classes, classes)
