"""A contextual stochastic block model: nodes of several classes, edges mostly within a class, words that hint at it.

Degree-corrected (Karrer and Newman, 2011), so that a few nodes have many edges; words as in Deshpande et al., Contextual
Stochastic Block Models, NeurIPS 2018, but present or absent, so that one can be flipped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uap_core.geometric.graphs.graph import Graph, graph_of

NODES, CLASSES, WORDS = 2400, 7, 140
MEAN_DEGREE, WITHIN = 5.0, 0.82  # edges a node; share of them that stay within its class
OWN_WORD, OTHER_WORD = 0.16, 0.05  # chance of a word of one's own class, and of any other
TAIL = 2.8  # exponent of the weights that make degrees unequal
LABELLED = 30  # nodes of each class that the network is told


@dataclass(frozen=True)
class Nodes:
    """A graph, the words (n,F) of its nodes as 0 and 1, their classes (n,), and which nodes a network is trained on (t,)."""

    graph: Graph
    words: np.ndarray
    classes: np.ndarray
    known: np.ndarray


def block_model(seed: int) -> Nodes:
    """Draw the graph of ``NODES`` nodes. The same seed gives the same graph."""
    draw = np.random.default_rng(seed)
    classes = draw.permutation(np.arange(NODES) % CLASSES)
    weight = np.minimum(draw.pareto(TAIL - 1, NODES) + 1, 12.0)
    members = [np.flatnonzero(classes == k) for k in range(CLASSES)]
    chances = [weight[inside] / weight[inside].sum() for inside in members]
    everyone = weight / weight.sum()
    count = int(NODES * MEAN_DEGREE / 2)
    first = draw.choice(NODES, count, p=everyone)
    stays = draw.random(count) < WITHIN
    second = np.where(stays, 0, draw.choice(NODES, count, p=everyone))
    for k in range(CLASSES):
        mine = np.flatnonzero(stays & (classes[first] == k))
        second[mine] = draw.choice(members[k], len(mine), p=chances[k])
    alone = np.setdiff1d(np.arange(NODES), np.concatenate([first, second]))
    friends = np.array([draw.choice(members[classes[node]]) for node in alone], dtype=np.int64)
    edges = np.concatenate([np.stack([first, second], 1), np.stack([alone, friends], 1)])
    own = (np.arange(WORDS) % CLASSES)[None] == classes[:, None]
    words = (draw.random((NODES, WORDS)) < np.where(own, OWN_WORD, OTHER_WORD)).astype(np.uint8)
    known = np.concatenate([draw.permutation(inside)[:LABELLED] for inside in members])
    return Nodes(graph_of(edges, NODES), words, classes, np.sort(known))
