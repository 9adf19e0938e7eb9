"""Universal anchors: a few nodes such that any victim, connected with all of them, changes its class.

After Zang et al., Graph Universal Adversarial Attacks, IJCAI 2021: a victim's edge to each anchor is flipped. Anchors are
chosen one by one on victims to craft on, each by the exact answers for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from uap_core.geometric.graphs.flips import logits_after
from uap_core.geometric.graphs.gcn import Seen, margin
from uap_core.metrics import Rate

SURE = 0.5  # a margin of this below 0 counts no further


def find_anchors(seen: Seen, victims: np.ndarray, forbidden: np.ndarray, count: int) -> Iterator[tuple[int, float]]:
    """Yield ``count`` anchors, none of them ``forbidden`` (f,) or a victim, each with the share of ``victims`` (v,) fooled by
    those so far. Deterministic."""
    labels = seen.logits(victims).argmax(1)
    states = [seen] * len(victims)
    candidates = np.setdiff1d(np.arange(len(seen.graph)), np.concatenate([victims, forbidden]))
    for _turn in range(count):
        loss, fooled = np.zeros(len(candidates)), np.zeros(len(candidates))
        for state, victim, label in zip(states, victims, labels, strict=True):
            margins = margin(logits_after(state, int(victim), int(victim), candidates), int(label))
            loss += np.maximum(margins, -SURE)
            fooled += margins < 0
        best = int(loss.argmin())
        chosen = int(candidates[best])
        states = [state.flipped(int(victim), chosen) for state, victim in zip(states, victims, strict=True)]
        candidates = np.delete(candidates, best)
        yield chosen, float(fooled[best] / len(victims))


def connected(seen: Seen, victim: int, anchors: np.ndarray) -> Seen:
    """What the network sees after the edges between ``victim`` and all ``anchors`` (k,) were flipped."""
    for anchor in anchors:
        seen = seen.flipped(victim, int(anchor))
    return seen


def fooled_by(seen: Seen, victims: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Whether (v,) the class of each victim changes when it alone is connected with ``anchors``. Others stay as they are."""
    before = seen.logits(victims).argmax(1)
    after = [int(connected(seen, int(victim), anchors).logits(np.array([victim]))[0].argmax()) for victim in victims]
    return np.asarray(before != np.array(after))


def anchor_rate(seen: Seen, victims: np.ndarray, anchors: np.ndarray) -> Rate:
    """The share of ``victims`` fooled by ``anchors``."""
    fooled = fooled_by(seen, victims, anchors)
    return Rate(int(fooled.sum()), len(fooled))
