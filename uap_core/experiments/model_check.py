"""Check a network before it is used: inputs, outputs and accuracy, one finding per line."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from uap_core.datasets.image_sets import open_held_out
from uap_core.errors import DatasetError, ModelError
from uap_core.images.photographs import sample_photos
from uap_core.images.reading import preprocess
from uap_core.metrics import Rate, predict
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier, Normalise
from uap_core.models.loaders import load
from uap_core.norms import to_levels

MOST, ENOUGH = 200, 30
READINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "from 0 to 1": lambda x: x,
    "from 0 to 255": to_levels,
    "from -1 to 1": lambda x: 2 * x - 1,
    "normalised outside": Normalise(),
    "from 0 to 1, blue first": lambda x: x.flip(1),
    "from 0 to 255, blue first": lambda x: to_levels(x.flip(1)),
}


@dataclass(frozen=True)
class Finding:
    """One finding: ``good``, or a problem, in one line."""

    good: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok   ' if self.good else 'WRONG'}  {self.text}"


def checkup(card: Card, source: Path | None = None) -> Iterator[Finding]:
    """Load the network of ``card`` and try it: on random pixels, and on pictures whose classes are known.

    Those are at most 200 held-out pictures of ``source`` (folder or zip), or without it the sample photographs. Ends early
    when the network cannot be loaded or used at all.
    """
    try:
        classifier = load(card)
    except ModelError as error:
        yield Finding(False, str(error))
        return
    count = len(classifier.labels)
    yield Finding(
        True,
        f"{card.name}: {card.input_size} x {card.input_size} pixels to {count} classes, SHA-256 {classifier.weights_hash[:8]}",
    )
    x = torch.rand(4, 3, card.input_size, card.input_size, generator=torch.Generator().manual_seed(0))
    try:
        logits = run(classifier, x)
        yield from _scores(logits)
        yield _evaluation_mode(classifier, x, logits)
        yield _gradient(classifier, x)
        yield from _input_range(classifier, source)
    except DatasetError:
        raise
    except ModelError as error:
        yield Finding(False, str(error))
    except Exception as error:  # an unknown network may raise anything
        yield Finding(False, f"It fails on some pictures: {type(error).__name__}: {error}")


@torch.no_grad()
def run(classifier: Classifier, x: Tensor) -> Tensor:
    """Logits, without a graph."""
    return classifier(x)


def _scores(logits: Tensor) -> Iterator[Finding]:
    if bool((logits >= 0).all()) and torch.allclose(logits.sum(dim=1), torch.ones(len(logits)), atol=1e-3):
        yield Finding(False, "It gives probabilities. Leave its last softmax out: losses and DeepFool work on logits.")
    elif float(logits.std(dim=0).max()) == 0:
        yield Finding(False, "It gives the same scores for different pictures.")
    else:
        yield Finding(True, f"logits from {float(logits.min()):.1f} to {float(logits.max()):.1f}")


def _evaluation_mode(classifier: Classifier, x: Tensor, logits: Tensor) -> Finding:
    again, alone = run(classifier, x), torch.cat([run(classifier, image[None]) for image in x])
    close = 1e-3 * float(logits.abs().max()) + 1e-6
    if not torch.allclose(logits, again, atol=close):
        return Finding(False, "It answers differently when asked again: it was saved in training mode. Call eval() first.")
    if not torch.allclose(logits, alone, atol=close):
        return Finding(
            False, "Its answer depends on the other pictures of the batch: it was saved in training mode. Call eval() first."
        )
    return Finding(True, "evaluation mode: the same answer twice, and alone or in a batch")


def _gradient(classifier: Classifier, x: Tensor) -> Finding:
    x = x.clone().requires_grad_(True)
    best = classifier(x).amax(dim=1).sum()
    gradient = torch.autograd.grad(best, x, allow_unused=True)[0] if best.requires_grad else None
    if gradient is not None and not bool(gradient.isfinite().all()):
        return Finding(False, "Its gradient holds values that are not numbers.")
    if gradient is None or not bool((gradient.flatten(1).abs().amax(dim=1) > 0).all()):
        return Finding(False, "No gradient reaches the pixels: something inside rounds, detaches or is not differentiable.")
    return Finding(True, "a gradient reaches the pixels")


def _input_range(classifier: Classifier, source: Path | None) -> Iterator[Finding]:
    """Accuracy under each way in which pixels are commonly given: the first is ours and should be the best."""
    shown = _photographs(classifier) if source is None else _labelled(classifier, source)
    if shown is None:
        yield Finding(
            True, "No picture with a class that it knows is at hand: name some with --data to check input range and accuracy."
        )
        return
    images, right, name = shown
    hits: dict[str, list[bool]] = {}
    for reading, change in READINGS.items():
        labels = predict(classifier, (change(part) for part in images.split(32)))
        hits[reading] = [int(label) in known for label, known in zip(labels, right, strict=True)]
    yield _verdict(hits, classifier, name)


def _surely_better(other: list[bool], ours: list[bool]) -> bool:
    """Whether more pictures are right under another reading than chance explains: the exact sign test on those that differ
    (McNemar, Psychometrika 1947), one-sided, at 1 %."""
    gained = sum(b and not a for a, b in zip(ours, other, strict=True))
    differ = sum(a != b for a, b in zip(ours, other, strict=True))
    return differ > 0 and sum(math.comb(differ, k) for k in range(gained, differ + 1)) / 2**differ < 0.01


def _verdict(hits: dict[str, list[bool]], classifier: Classifier, name: str) -> Finding:
    """What the accuracies under each reading of the pixels say; few pictures say little."""
    rates = {reading: Rate(sum(right), len(right)) for reading, right in hits.items()}
    ours, best = rates["from 0 to 1"], max(rates, key=lambda reading: rates[reading].value)
    told = f"{ours} right on {name}"
    if ours.interval[1] < rates[best].interval[0] or _surely_better(hits[best], hits["from 0 to 1"]):
        return Finding(False, f"It seems to take pixels {best}: {rates[best]} right on {name}, {ours.value:.1%} from 0 to 1.")
    if rates[best].total < ENOUGH:
        if ours.count == rates[best].count and ours.count:
            return Finding(True, f"{told}; name more with --data to be sure of input range and accuracy")
        return Finding(False, f"{told}, {rates[best].count} with pixels {best}: too few to tell. Name more with --data.")
    if rates[best].interval[0] <= 1.5 / len(classifier.labels):
        return Finding(False, f"{told}: no better than chance, however pixels are read. Are its classes in another order?")
    stated = classifier.card.top1
    if stated is None:
        return Finding(True, told)
    return Finding(ours.interval[1] >= stated - 0.1, f"{told}; its card says {stated:.1%}")


def _photographs(classifier: Classifier) -> tuple[Tensor, list[set[int]], str] | None:
    """Sample photographs that show a class of this network."""
    card, index = classifier.card, {name: i for i, name in enumerate(classifier.class_ids)}
    known = [(photo, {index[name] for name in photo.shows if name in index}) for photo in sample_photos()]
    shown = [
        (preprocess(photo.open(), card.resize_size, card.input_size, card.interpolation), right)
        for photo, right in known
        if right
    ]
    return (torch.cat([x for x, _ in shown]), [right for _, right in shown], "the sample photographs") if shown else None


def _labelled(classifier: Classifier, source: Path) -> tuple[Tensor, list[set[int]], str] | None:
    card = classifier.card
    images = open_held_out(source, card.resize_size, card.input_size, MOST, card.interpolation)
    truth = images.truth(classifier.class_ids)
    return None if truth is None else (images.images(slice(None)), [{int(label)} for label in truth], images.name)
