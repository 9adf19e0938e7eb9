"""A visitor's graph: two names a line, an edge a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from uap_core.errors import DatasetError
from uap_core.geometric.files.limits import MOST_EDGES, MOST_VERTICES, content, lines_of, text_of
from uap_core.geometric.graphs.graph import Graph, graph_of

FEWEST = 8


@dataclass(frozen=True)
class OwnGraph:
    """The largest connected piece of a list of edges, the names of its nodes, and what was left out."""

    graph: Graph
    names: list[str]
    loops: int
    pieces: int


def open_edges(path: Path) -> OwnGraph:
    """Read a list of edges. Loops and repeated edges are left out, and all but the largest connected piece.

    Raises DatasetError for a file that is no such list.
    """
    lines = lines_of(text_of(content(path)))
    pairs = [(line[0], line[1]) for line in lines if len(line) > 1]
    if not pairs or len(pairs) < 0.9 * len(lines):
        raise DatasetError("A list of edges has two names on each line; this file has not.")
    if len(pairs) > MOST_EDGES:
        raise DatasetError(f"The file has {len(pairs)} edges; at most {MOST_EDGES} can be opened.")
    names = sorted({name for pair in pairs for name in pair}, key=lambda name: (len(name), name))
    if len(names) > MOST_VERTICES:
        raise DatasetError(f"The graph has {len(names)} nodes; at most {MOST_VERTICES} can be opened.")
    number = {name: place for place, name in enumerate(names)}
    edges = np.array([(number[a], number[b]) for a, b in pairs], dtype=np.int64)
    loops = int((edges[:, 0] == edges[:, 1]).sum())
    edges = edges[edges[:, 0] != edges[:, 1]]
    count, piece = connected_components(sp.coo_matrix((np.ones(len(edges)), edges.T), (len(names),) * 2), directed=False)
    kept = np.flatnonzero(piece == np.bincount(piece).argmax())
    if len(kept) < FEWEST:
        raise DatasetError(f"The largest connected piece has {len(kept)} nodes; at least {FEWEST} are needed.")
    edges = edges[np.isin(edges[:, 0], kept)]
    return OwnGraph(graph_of(np.searchsorted(kept, edges), len(kept)), [names[i][:24] for i in kept], loops, int(count))
