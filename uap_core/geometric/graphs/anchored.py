"""The universal anchors used on one victim, as an attack like the others: one edge after another."""

from __future__ import annotations

import numpy as np

from uap_core.geometric.graphs.gcn import Seen, margin
from uap_core.geometric.graphs.targeted import Attack, Flip, Step


def anchored(seen: Seen, node: int, anchors: np.ndarray) -> Attack:
    """Flip the edges between ``node`` and each of ``anchors`` (k,) in order, all of them; nothing is chosen for it."""
    logits = seen.logits(np.array([node]))[0]
    label = int(logits.argmax())
    found = Attack(node, label, label, float(margin(logits, label)))
    for anchor in anchors[anchors != node]:
        added = not seen.graph.has(node, int(anchor))
        seen = seen.flipped(node, int(anchor))
        logits = seen.logits(np.array([node]))[0]
        found.now = int(logits.argmax())
        found.steps.append(Step(Flip(node, int(anchor), added, float(margin(logits, label))), [], found.now))
    return found
