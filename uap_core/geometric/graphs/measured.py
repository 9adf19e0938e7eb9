"""What is measured of attacks on graphs: flips needed for held-out targets, and held-out victims fooled by anchors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from uap_core.geometric.graphs.anchors import anchor_rate, find_anchors
from uap_core.geometric.graphs.gcn import Seen
from uap_core.geometric.graphs.stored import Stored
from uap_core.geometric.graphs.targeted import DIRECT, INFLUENCERS, WORDS, attack_node
from uap_core.metrics import Rate

TARGETS, VICTIMS, HELD_OUT = 100, 200, 500  # targeted; to craft anchors on; to measure them on: all disjoint
BUDGET, ANCHORS, RANDOM_SETS = 10, 8, 5


@dataclass(frozen=True)
class TargetRow:
    """Of held-out targets, those fooled by at most so many ``flips`` of a ``kind``; flips that the tests refused."""

    graph: str
    kind: str
    flips: int
    fooled: Rate
    refused: int


@dataclass(frozen=True)
class AnchorRow:
    """Of held-out victims, those fooled when connected with so many ``anchors``: universal ones, and ones at random."""

    anchors: int
    fooled: Rate
    random: Rate


def target_rows(stored: Stored, name: str, targets: np.ndarray) -> Iterator[TargetRow]:
    """Attack each of ``targets`` by itself with every kind of flip that the graph has."""
    words = stored.nodes.words if stored.nodes.words.shape[1] else None
    for kind in (DIRECT, INFLUENCERS, *((WORDS,) if words is not None else ())):
        attacks = [attack_node(stored.seen, int(node), kind, BUDGET, words) for node in targets]
        needed = np.array([len(attack.steps) if attack.fooled else BUDGET + 1 for attack in attacks])
        refused = sum(
            flip.refused != "" and flip.margin < step.taken.margin
            for attack in attacks
            for step in attack.steps
            for flip in step.ranked
        )
        for flips in range(1, BUDGET + 1):
            yield TargetRow(name, kind, flips, Rate(int((needed <= flips).sum()), len(needed)), int(refused))


def best_anchors(seen: Seen, victims: np.ndarray, held_out: np.ndarray, count: int) -> list[int]:
    """The ``count`` anchors that fool most of ``victims``: chosen among the nodes that the network gives one class, for each
    class, since a victim of the class of all anchors keeps it; ``held_out`` nodes are neither anchors nor looked at."""
    given = seen.logits().argmax(1)
    found: list[tuple[float, list[int]]] = []
    for kind in range(int(given.max()) + 1):
        others = np.concatenate([held_out, np.flatnonzero(given != kind)])
        steps = list(find_anchors(seen, victims, others, count))
        found.append((steps[-1][1], [anchor for anchor, _share in steps]))
    return max(found)[1]


def anchor_rows(stored: Stored, anchors: np.ndarray, held_out: np.ndarray, seed: int) -> Iterator[AnchorRow]:
    """The first 1, 2, ... of ``anchors`` on ``held_out`` victims, beside ``RANDOM_SETS`` draws of as many other nodes."""
    draw = np.random.default_rng(seed)
    others = np.setdiff1d(np.arange(len(stored.seen.graph)), held_out)
    for count in range(1, len(anchors) + 1):
        rates = [anchor_rate(stored.seen, held_out, draw.choice(others, count, replace=False)) for _ in range(RANDOM_SETS)]
        random = Rate(sum(rate.count for rate in rates), sum(rate.total for rate in rates))
        yield AnchorRow(count, anchor_rate(stored.seen, held_out, anchors[:count]), random)
