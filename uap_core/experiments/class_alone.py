"""A pattern for some classes alone, beside one for all and random signs: how many images inside and outside each fools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.base import Progress
from uap_core.crafting.class_alone import ClassAlone, is_inside
from uap_core.crafting.problem import clean_logits, predicted
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError, SettingError
from uap_core.metrics import Rate, fooling_rate, target_rate
from uap_core.models.class_groups import groups_of
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

ALONE, FOR_ALL, SIGNS = "alone", "for all", "random signs"
KINDS = (ALONE, FOR_ALL, SIGNS)


@dataclass(frozen=True)
class SidesRow:
    """What a pattern does to images ``inside`` some classes, by the network's own clean answer, and ``outside`` of them.

    Args:
        group: the key of a group, or the label of one class.
        target: label of the class to reach; empty for any other.
        kind: "alone", "for all" or "random signs".
        inside: fooling rate of images of these classes.
        outside: fooling rate of all others.
        reached: with a target, share of the images inside that become it.
        image_gradients: that the pattern took.
    """

    group: str
    target: str
    kind: str
    inside: Rate
    outside: Rate
    reached: Rate | None = None
    image_gradients: int = 0


def classes_of(classifier: Classifier, chosen: Sequence[str]) -> tuple[int, ...]:
    """The class indices of names of groups and of labels. Raises SettingError for none, ModelError for one not known."""
    groups = groups_of(classifier.class_ids)
    found: set[int] = set()
    for name in chosen:
        found |= set(groups[name]) if name in groups else {classifier.index_of(name)}
    if not found:
        raise SettingError("Name at least one class to fool.")
    return tuple(sorted(found))


def sides(clean: Tensor, after: Tensor, classes: Sequence[int], target: int | None = None) -> tuple[Rate, Rate, Rate | None]:
    """Fooling rates inside and outside, and the target rate inside, of answers ``after`` (N,); ``clean`` (N,K) are logits."""
    before, inside = clean.argmax(dim=1), is_inside(clean, classes)
    reached = None if target is None else target_rate(before[inside], after[inside], target)
    return fooling_rate(before[inside], after[inside]), fooling_rate(before[~inside], after[~inside]), reached


def class_alone(
    classifier: Classifier,
    method: ClassAlone,
    craft: ImageSet,
    held_out: ImageSet,
    ball: Ball,
    beside: Mapping[str, Tensor],
    group: str,
    target: str = "",
    seed: int = 0,
) -> Iterator[Progress | SidesRow]:
    """Measure the patterns ``beside``, by their kinds, and random signs; then craft for the classes of ``method`` and measure.

    Args:
        classifier: the network, whose clean answer says to which side an image belongs.
        method: the classes, and how to craft.
        craft: images to craft on, of these classes and of others.
        held_out: images to measure on.
        ball: what the patterns must stay in.
        beside: other patterns (3,H,W) by what their rows are called.
        group: what rows call the classes.
        target: label to reach; any other will do when left out.
        seed: of the method and of the signs.

    Yields:
        A row a pattern, and the progress of the run; the last row is that of the crafted one, after its ``done`` progress.

    Raises:
        DatasetError: no image on one of the two sides.
        SettingError: classes or a target that the network has not, all of its classes, or a target among them.
    """
    aim = classifier.index_of(target) if target else None
    clean = clean_logits(classifier, held_out.pixels)
    inside = is_inside(clean, method.classes)
    if not bool(inside.any()):
        raise DatasetError(f"{held_out.name} has no picture that the network takes for the chosen classes: choose others.")
    if bool(inside.all()):
        raise DatasetError(f"{held_out.name} has no picture that the network takes for another class than the chosen ones.")

    def row(kind: str, v: Tensor, spent: int = 0) -> SidesRow:
        after = predicted(classifier, held_out.pixels, v)
        return SidesRow(group, target, kind, *sides(clean, after, method.classes, aim), spent)

    for kind, v in beside.items():
        yield row(kind, v)
    yield row(SIGNS, ball.random_signs(tuple(craft.pixels.shape[1:]), torch.Generator().manual_seed(seed)))
    criterion = Criterion() if aim is None else Criterion.into(aim)
    progress = None
    for progress in method.craft(classifier, craft.pixels, ball, torch.Generator().manual_seed(seed), criterion=criterion):
        yield progress
    assert progress is not None, "a run ends with its result"
    yield row(ALONE, progress.perturbation, progress.image_gradients)
