"""A two-layer graph convolutional network without biases (Kipf and Welling, ICLR 2017), in NumPy.

Z = P relu(P X W1) W2 with P = D^(-1/2) (A + I) D^(-1/2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uap_core.geometric.graphs.graph import Graph


@dataclass(frozen=True)
class Gcn:
    """Weights of the first (F,H) and the second layer (H,K)."""

    first: np.ndarray
    second: np.ndarray

    def projected(self, features: np.ndarray | None) -> np.ndarray:
        """X W1 (n,H). Without ``features`` each node has one of its own."""
        return self.first if features is None else features.astype(np.float64) @ self.first


@dataclass(frozen=True)
class Seen:
    """A graph as a network sees it: X W1 (n,H), D^(-1/2) (n,), and sums of X W1 D^(-1/2) over neighbours and oneself (n,H)."""

    graph: Graph
    gcn: Gcn
    projected: np.ndarray
    scale: np.ndarray
    gathered: np.ndarray

    def logits(self, nodes: np.ndarray | None = None) -> np.ndarray:
        """Z (n,K), or its rows for ``nodes``."""
        hidden = self.scale[:, None] ** 2 * np.maximum(self.gathered, 0.0)
        wanted = range(len(self.graph)) if nodes is None else nodes
        sums = np.stack([hidden[node] + hidden[self.graph.neighbours[node]].sum(0) for node in wanted])
        return (self.scale[np.asarray(wanted)][:, None] * sums) @ self.gcn.second

    def flipped(self, a: int, b: int) -> Seen:
        """What the network sees after the edge between ``a`` and ``b`` was flipped."""
        return self._moved(self.graph.flipped(a, b), (a, b))

    def _moved(self, graph: Graph, changed: tuple[int, int]) -> Seen:
        scale, gathered = self.scale.copy(), self.gathered.copy()
        for node in changed:
            scale[node] = (len(graph.neighbours[node]) + 1) ** -0.5
        touched = np.unique(np.concatenate([[node] for node in changed] + [graph.neighbours[node] for node in changed]))
        sent = scale[:, None] * self.projected
        for node in touched.astype(np.int64):
            gathered[node] = sent[node] + sent[graph.neighbours[node]].sum(0)
        return Seen(graph, self.gcn, self.projected, scale, gathered)


def see(graph: Graph, gcn: Gcn, features: np.ndarray | None) -> Seen:
    """What ``gcn`` sees of a ``graph`` with ``features`` (n,F), or None where each node has one of its own."""
    projected, scale = gcn.projected(features), (graph.degrees + 1.0) ** -0.5
    sent = scale[:, None] * projected
    gathered = np.stack([sent[node] + sent[near].sum(0) for node, near in enumerate(graph.neighbours)])
    return Seen(graph, gcn, projected, scale, gathered)


def margin(logits: np.ndarray, label: int) -> np.ndarray:
    """How far ``label`` is ahead of the best other class in logits (...,K); below 0 the node is fooled."""
    others = np.delete(logits, label, axis=-1)
    return logits[..., label] - others.max(-1)
