"""Where to draw nodes, and which nodes of a large graph: those around one of them."""

from __future__ import annotations

import numpy as np

from uap_core.geometric.graphs.graph import Graph

DRAWN, ROUNDS = 48, 120


def around(graph: Graph, node: int, must: list[int]) -> list[int]:
    """``node`` first, the nodes that ``must`` be there, its neighbours, then theirs, as many as fit."""
    chosen = list(dict.fromkeys([node, *must]))
    ring = [int(other) for other in graph.neighbours[node]]
    for candidates in (ring, [int(other) for one in ring for other in graph.neighbours[one]]):
        chosen = list(dict.fromkeys([*chosen, *candidates]))[: max(DRAWN, len(must) + 1)]
    return chosen


def layout(count: int, edges: np.ndarray, seed: int) -> np.ndarray:
    """Places (n,2) in [0,1] by springs and repulsion (Fruchterman and Reingold, 1991). The same seed gives the same places."""
    draw = np.random.default_rng(seed)
    places = draw.random((count, 2))
    ideal, heat = 1.1 / np.sqrt(count), 0.12
    for turn in range(ROUNDS):
        apart = places[:, None] - places[None]
        far = np.maximum(np.linalg.norm(apart, axis=-1), 1e-3)
        push = (apart / far[..., None] ** 2 * ideal**2).sum(1)
        if len(edges):
            pull = apart[edges[:, 0], edges[:, 1]] * (far[edges[:, 0], edges[:, 1]] / ideal)[:, None]
            np.add.at(push, edges[:, 0], -pull)
            np.add.at(push, edges[:, 1], pull)
        push -= 0.4 * (places - places.mean(0))
        length = np.maximum(np.linalg.norm(push, axis=1, keepdims=True), 1e-9)
        places = places + push / length * np.minimum(length, heat * (1 - turn / ROUNDS))
    low, high = places.min(0), places.max(0)
    return np.asarray((places - low) / np.maximum(high - low, 1e-9))
