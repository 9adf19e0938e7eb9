"""A visitor's graph with a network of its own: two groups found from the edges alone, and a network trained to tell them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

from uap_core.errors import SettingError
from uap_core.geometric.graphs.block_model import Nodes
from uap_core.geometric.graphs.gcn import see
from uap_core.geometric.graphs.graph import Graph
from uap_core.geometric.graphs.learning import training
from uap_core.geometric.graphs.stored import Stored

TOLD = 0.05  # share of the nodes whose group the network is told, the surest ones, at least two of each
SPLIT = 0.2  # about the share of the time that the split takes


def own_network(graph: Graph, seed: int) -> Stored:
    """Split a connected ``graph`` in two by its second eigenvector, and train a network on the surest nodes.

    Raises SettingError where no such split is found.
    """
    *_, found = learning_own(graph, seed)
    assert isinstance(found, Stored)
    return found


def learning_own(graph: Graph, seed: int) -> Iterator[float | Stored]:
    """``own_network`` in parts: how much of it is done (0 to 1), and last the graph with its network."""
    yield 0.0
    share = second_vector(graph)
    sides = (share > np.median(share)).astype(np.int64)
    count = max(2, int(TOLD * len(graph) / 2))
    order = np.argsort(share, kind="stable")
    known = np.sort(np.concatenate([order[:count], order[-count:]]))
    for step in training(graph, None, sides, known, seed):
        if isinstance(step, float):
            yield SPLIT + (1 - SPLIT) * step
        else:
            gcn = step
    nodes = Nodes(graph, np.zeros((len(graph), 0), dtype=np.uint8), sides, known)
    yield Stored(see(graph, gcn, None), nodes, np.empty(0, dtype=np.int64))


def second_vector(graph: Graph) -> np.ndarray:
    """The eigenvector (n,) of D^(-1/2) A D^(-1/2) with the second largest eigenvalue, scaled by D^(-1/2); its sign is fixed."""
    edges, scale = graph.edges(), 1 / np.sqrt(graph.degrees)
    values = scale[edges[:, 0]] * scale[edges[:, 1]]
    half = sp.coo_matrix((values, edges.T), (len(graph),) * 2)
    start = np.cos(np.arange(len(graph)) * 0.7) + 1.1
    try:
        values, vectors = eigsh(
            (half + half.T).tocsr() + sp.identity(len(graph)), k=2, which="LA", v0=start, tol=1e-4, maxiter=2000
        )
    except ArpackNoConvergence as error:
        raise SettingError("No two groups were found in this graph: try a smaller part of it.") from error
    found = vectors[:, values.argsort()[0]] * scale
    return np.asarray(found * (-1 if found[np.abs(found).argmax()] < 0 else 1))
