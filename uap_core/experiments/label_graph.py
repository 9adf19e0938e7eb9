"""The label graph: what each label becomes under a universal pattern, and the dominant labels (CVPR 2017, Fig. 7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.random_directions import BATCH
from uap_core.metrics import Rate
from uap_core.models.classifier import Classifier
from uap_core.perturbations.perturbation import Perturbation


@dataclass(frozen=True)
class Move:
    """The number of ``images`` whose clean ``label`` ``becomes`` this one under the pattern."""

    label: str
    becomes: str
    images: int


@dataclass(frozen=True)
class Edge:
    """An edge: the label that ``label`` most often ``becomes``, and for how many images."""

    label: str
    becomes: str
    rate: Rate


def label_moves(classifier: Classifier, perturbation: Perturbation, images: ImageSet) -> Iterator[list[Move]]:
    """All moves so far, after every batch; the last list is the result. One clean and one perturbed pass."""
    counts: Counter[tuple[int, int]] = Counter()
    for batch in images.batches(BATCH):
        with torch.inference_mode():
            before, after = classifier(batch).argmax(dim=1), classifier(perturbation.apply(batch)).argmax(dim=1)
        counts.update(zip(before.tolist(), after.tolist(), strict=True))
        names = classifier.labels
        yield [Move(names[one], names[other], count) for (one, other), count in sorted(counts.items())]


def edges(moves: Sequence[Move]) -> list[Edge]:
    """The graph: from each label to the one it becomes most often, except where that is itself; most images first.

    Ties go to the label that attracts more images of all labels.
    """
    swallowed = perturbed_counts(moves)
    by_label: dict[str, list[Move]] = {}
    for move in moves:
        by_label.setdefault(move.label, []).append(move)
    found = []
    for label, mine in by_label.items():
        most = max(mine, key=lambda move: (move.images, swallowed[move.becomes], move.becomes))
        if most.becomes != label:
            found.append(Edge(label, most.becomes, Rate(most.images, sum(move.images for move in mine))))
    return sorted(found, key=lambda edge: (-edge.rate.count, edge.label))


def hubs(graph: Sequence[Edge]) -> dict[str, list[Edge]]:
    """The arrows into each label that has any, by that label: the one that attracts most images first."""
    found: dict[str, list[Edge]] = {}
    for edge in graph:
        found.setdefault(edge.becomes, []).append(edge)
    return dict(sorted(found.items(), key=lambda pair: (-sum(edge.rate.count for edge in pair[1]), pair[0])))


def perturbed_counts(moves: Sequence[Move]) -> Counter[str]:
    """How many images have each label under the pattern."""
    counts: Counter[str] = Counter()
    for move in moves:
        counts[move.becomes] += move.images
    return counts


def share_of_top(moves: Sequence[Move], labels: int) -> Rate:
    """The share of the perturbed predictions that fall on the ``labels`` most frequent of them."""
    counts = perturbed_counts(moves)
    return Rate(sum(count for _, count in counts.most_common(labels)), counts.total())


def components(graph: Sequence[Edge]) -> list[list[str]]:
    """The labels of each connected part of the graph, arrows taken as lines; the largest part first."""
    group: dict[str, set[str]] = {}
    for edge in graph:
        merged = group.get(edge.label, {edge.label}) | group.get(edge.becomes, {edge.becomes})
        group.update(dict.fromkeys(merged, merged))
    parts = {id(part): sorted(part) for part in group.values()}.values()
    return sorted(parts, key=lambda part: (-len(part), part))
