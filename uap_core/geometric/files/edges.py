"""A visitor's graph: two names a line, an edge a line."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from uap_core.errors import DatasetError
from uap_core.geometric.files.limits import MOST_EDGES, MOST_VERTICES, content, text_of
from uap_core.geometric.graphs.graph import Graph, graph_of

FEWEST = 8
LONGEST = 24  # characters of a name that are shown
COMMENTS = ("#", "%", "//")
MATRIX_MARKET = "%%matrixmarket"


@dataclass(frozen=True)
class OwnGraph:
    """The largest connected piece of a list of edges, the names of its nodes, and what was left out.

    ``loops`` joined a node to itself, ``repeated`` edges were there already, perhaps the other way round, and ``more`` says
    that lines have more than two names, such as weights.
    """

    graph: Graph
    names: list[str]
    loops: int
    pieces: int
    repeated: int = 0
    more: bool = False


def open_edges(path: Path) -> OwnGraph:
    """Read a list of edges. Loops and repeated edges are left out, and all but the largest connected piece.

    Raises DatasetError for a file that is no such list.
    """
    rows = _rows(text_of(content(path)))
    pairs = [(row[0], row[1]) for row in rows if len(row) > 1]
    if not pairs or len(pairs) < 0.9 * len(rows):
        raise DatasetError("A list of edges has two names on each line; this file has not.")
    if len(rows) >= FEWEST and all(len(row) == len(rows) for row in rows):
        raise DatasetError("This is a matrix, a line for each node; save the graph as a list of edges, two names a line.")
    if len(pairs) > MOST_EDGES:
        raise DatasetError(f"The file has {len(pairs)} edges; at most {MOST_EDGES} can be opened.")
    names = sorted({name for pair in pairs for name in pair}, key=lambda name: (len(name), name))
    if len(names) > MOST_VERTICES:
        raise DatasetError(f"The graph has {len(names)} nodes; at most {MOST_VERTICES} can be opened.")
    number = {name: place for place, name in enumerate(names)}
    edges = np.sort(np.array([(number[a], number[b]) for a, b in pairs], dtype=np.int64), axis=1)
    loops = int((edges[:, 0] == edges[:, 1]).sum())
    edges = edges[edges[:, 0] != edges[:, 1]]
    found = len(edges)
    edges = np.unique(edges, axis=0)
    repeated = found - len(edges)
    count, piece = connected_components(sp.coo_matrix((np.ones(len(edges)), edges.T), (len(names),) * 2), directed=False)
    kept = np.flatnonzero(piece == np.bincount(piece).argmax())
    if len(kept) < FEWEST:
        raise DatasetError(f"The largest connected piece has {len(kept)} nodes; at least {FEWEST} are needed.")
    edges = edges[np.isin(edges[:, 0], kept)]
    graph = graph_of(np.searchsorted(kept, edges), len(kept))
    more = sum(len(row) > 2 for row in rows) > len(rows) // 2
    return OwnGraph(graph, [_short(names[i]) for i in kept], loops, int(count), repeated, more)


def _rows(text: str) -> list[list[str]]:
    """Cells of each line that is no comment, without a first line that names columns or says how large a matrix is."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(COMMENTS)]
    if not lines or lines[0].lstrip()[0] in "{[<":
        raise DatasetError("A list of edges has two names on each line; this file has not.")
    apart = _delimiter(lines)
    try:
        cells = csv.reader(lines, delimiter=apart, skipinitialspace=True) if apart else (line.split() for line in lines)
        rows = [[cell.strip() for cell in line] for line in cells]
    except csv.Error as error:
        raise DatasetError("A line of the file cannot be split into names; save it again as a plain list.") from error
    rows = [row for row in rows if sum(bool(cell) for cell in row[:2]) == 2 or not apart]
    if text.lstrip()[: len(MATRIX_MARKET)].lower() == MATRIX_MARKET:
        return rows[1:]
    seen = Counter(name for row in rows[1:] for name in row[:2])
    heads = len(rows) > 1 and len(rows[0]) > 1 and not any(name in seen for name in rows[0][:2])
    return rows[1:] if heads and not any(cell.isdigit() for cell in rows[0]) else rows


def _delimiter(lines: list[str]) -> str:
    """The mark between names, or none where they stand apart by blanks."""
    for mark in ("\t", ";", ","):
        if sum(mark in line for line in lines) >= 0.9 * len(lines):
            return mark
    return ""


def _short(name: str) -> str:
    """A name that can be shown; the end, where long names mostly differ, stays."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}…{name[-LONGEST // 2 + 1 :]}"
