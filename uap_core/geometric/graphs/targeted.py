"""Edges or words flipped for one chosen node, the best one at a time, each checked exactly (after Zügner et al., KDD 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from uap_core.geometric.graphs.flips import logits_after, logits_after_words
from uap_core.geometric.graphs.gcn import Seen, margin, see
from uap_core.geometric.graphs.unnoticed import THRESHOLD, go_together, leaves_alone, statistics_after

DIRECT, INFLUENCERS, WORDS = "direct", "influencers", "words"
NOTICED, ALONE, ODD_WORD = "noticed", "alone", "odd word"  # why a flip was refused
INFLUENCER_COUNT = 5
SHOWN = 8  # flips that are listed


@dataclass(frozen=True)
class Flip:
    """An edge between ``a`` and ``b``, or word ``b`` of node ``a``; the ``margin`` of the chosen node after it.

    ``statistic`` is the likelihood ratio of the degrees against those of the untouched graph, 0 for words. ``refused`` says
    why the flip was not admitted, and is empty where it was.
    """

    a: int
    b: int
    added: bool
    margin: float
    statistic: float = 0.0
    refused: str = ""
    is_word: bool = False


@dataclass(frozen=True)
class Step:
    """What was flipped, the best flips that were possible then, refused ones included, and the class of the node after it."""

    taken: Flip
    ranked: list[Flip]
    answer: int


@dataclass
class Attack:
    """The steps taken for ``node``; ``label`` is what it was taken for, ``now`` what for in the end."""

    node: int
    label: int
    now: int
    before: float
    steps: list[Step] = field(default_factory=list)

    @property
    def fooled(self) -> bool:
        """Whether the network gives another class now."""
        return self.now != self.label


def attack_node(seen: Seen, node: int, kind: str, budget: int, words: np.ndarray | None = None) -> Attack:
    """Flip at most ``budget`` edges, or words of ``words`` (n,F), until the class of ``node`` changes. Deterministic."""
    logits = seen.logits(np.array([node]))[0]
    label = int(logits.argmax())
    found = Attack(node, label, label, float(margin(logits, label)))
    original, influencers = seen.graph.degrees, _influencers(seen, node)
    for _turn in range(budget):
        if kind == WORDS:
            assert words is not None
            ranked = _ranked_words(seen, node, label, words)
        else:
            ends = [node] if kind == DIRECT else influencers
            ranked = _ranked_edges(seen, node, label, ends, original)
        taken = next((flip for flip in ranked if not flip.refused), None)
        if taken is None:
            break
        if kind == WORDS and words is not None:
            words = words.copy()
            words[node, taken.b] ^= 1
            seen = see(seen.graph, seen.gcn, words)
        else:
            seen = seen.flipped(taken.a, taken.b)
        found.now = int(seen.logits(np.array([node]))[0].argmax())
        found.steps.append(Step(taken, _shown(ranked), found.now))
        if found.fooled:
            break
    return found


def _influencers(seen: Seen, node: int) -> list[int]:
    """The neighbours with the fewest neighbours of their own: theirs weigh most."""
    near = seen.graph.neighbours[node]
    return [int(one) for one in near[np.argsort(seen.graph.degrees[near], kind="stable")][:INFLUENCER_COUNT]]


def _ranked_edges(seen: Seen, node: int, label: int, ends: Sequence[int], original: np.ndarray) -> list[Flip]:
    """All flips at ``ends``, the lowest margin first, cut off behind the best admitted ones."""
    flips: list[Flip] = []
    for end in ends:
        others = np.setdiff1d(np.arange(len(seen.graph)), [node, end])
        margins = margin(logits_after(seen, node, end, others), label)
        ratio = statistics_after(original, seen.graph, end, others)
        alone = leaves_alone(seen.graph, end, others)
        refused = np.where(alone, ALONE, np.where(ratio >= THRESHOLD, NOTICED, ""))
        best = np.argsort(margins, kind="stable")
        admitted = best[refused[best] == ""][:SHOWN]
        kept = np.unique(np.concatenate([best[:SHOWN], admitted]))
        flips += [
            Flip(
                end,
                int(others[i]),
                not seen.graph.has(end, int(others[i])),
                float(margins[i]),
                float(ratio[i]),
                str(refused[i]),
            )
            for i in kept
        ]
    return sorted(flips, key=lambda flip: (flip.margin, flip.a, flip.b))


def _ranked_words(seen: Seen, node: int, label: int, words: np.ndarray) -> list[Flip]:
    margins = margin(logits_after_words(seen, node, words[node]), label)
    allowed = go_together(words, node)
    order = np.argsort(margins, kind="stable")
    return [Flip(node, int(j), not words[node, j], float(margins[j]), 0.0, "" if allowed[j] else ODD_WORD, True) for j in order]


def _shown(ranked: list[Flip]) -> list[Flip]:
    """The best flips for a list: refused ones among them, and always some that were admitted."""
    refused = [flip for flip in ranked if flip.refused][: SHOWN // 2]
    admitted = [flip for flip in ranked if not flip.refused][: SHOWN // 2]
    return sorted(refused + admitted, key=lambda flip: flip.margin)
