"""An undirected graph without loops, by the neighbours of each node; flips make new graphs and leave the old as they are."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from uap_core.errors import SettingError


@dataclass(frozen=True)
class Graph:
    """Neighbours of each node, ascending; what is unchanged is shared between a graph and its flipped copies."""

    neighbours: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.neighbours)

    @property
    def degrees(self) -> np.ndarray:
        """Number of neighbours (n,)."""
        return np.array([len(near) for near in self.neighbours], dtype=np.int64)

    def has(self, a: int, b: int) -> bool:
        """Whether an edge joins ``a`` and ``b``."""
        near = self.neighbours[a]
        place = int(np.searchsorted(near, b))
        return place < len(near) and int(near[place]) == b

    def flipped(self, a: int, b: int) -> Graph:
        """This graph with the edge between ``a`` and ``b`` added where it was absent, removed where it was there."""
        if a == b:
            raise SettingError("An edge joins two different nodes; choose another one.")
        changed = list(self.neighbours)
        for one, other in ((a, b), (b, a)):
            near = changed[one]
            place = int(np.searchsorted(near, other))
            there = place < len(near) and int(near[place]) == other
            changed[one] = np.delete(near, place) if there else np.insert(near, place, other)
        return Graph(tuple(changed))

    def edges(self) -> np.ndarray:
        """Each edge once (e,2), the smaller node first."""
        pairs = [(a, int(b)) for a, near in enumerate(self.neighbours) for b in near if a < b]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def graph_of(edges: np.ndarray, nodes: int) -> Graph:
    """A graph of ``nodes`` nodes from pairs (e,2); loops and repeated edges are left out."""
    pairs = np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1)
    pairs = np.unique(pairs, axis=0)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    ends = np.searchsorted(both[:, 0], np.arange(nodes + 1))
    return Graph(tuple(both[low:high, 1].copy() for low, high in itertools.pairwise(ends)))
