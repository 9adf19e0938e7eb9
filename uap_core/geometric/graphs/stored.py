"""The two graphs that ship with their trained networks: the karate club, and one drawn from the block model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from uap_core.geometric.graphs.block_model import WORDS, Nodes
from uap_core.geometric.graphs.gcn import Gcn, Seen, see
from uap_core.geometric.graphs.graph import graph_of
from uap_core.geometric.graphs.karate import KNOWN, karate_edges, karate_sides
from uap_core.io.paths import GEOMETRIC

CLUB_FILE, BLOCK_FILE = "karate.safetensors", "block-model.safetensors"


@dataclass(frozen=True)
class Stored:
    """A graph with its network: what it ``seen``, the ``nodes`` as they are, and ``anchors`` (k,) where any were found."""

    seen: Seen
    nodes: Nodes
    anchors: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The class (n,) that the network gives each node."""
        return np.asarray(self.seen.logits().argmax(1))

    def held_out(self) -> np.ndarray:
        """The nodes that the network was not told and gets right, in an order that has nothing to do with them."""
        right = np.flatnonzero(self.predicted == self.nodes.classes)
        return np.random.default_rng(0).permutation(np.setdiff1d(right, self.nodes.known))


def save_gcn(path: Path, gcn: Gcn, nodes: Nodes | None, anchors: np.ndarray) -> None:
    """Write a network, and the graph that it belongs to where that is not the club."""
    from safetensors.numpy import save

    from uap_core.io.atomic import write_whole

    arrays: dict[str, np.ndarray] = {
        "first": gcn.first.astype(np.float32),
        "second": gcn.second.astype(np.float32),
        "anchors": anchors.astype(np.int32),
    }
    if nodes is not None:
        arrays |= {
            "edges": nodes.graph.edges().astype(np.uint16),
            "words": np.packbits(nodes.words, axis=1),
            "classes": nodes.classes.astype(np.uint8),
            "known": nodes.known.astype(np.uint16),
        }
    write_whole(path, save(arrays))


def load_gcn(path: Path) -> Stored:
    """Read what ``save_gcn`` wrote."""
    from safetensors.numpy import load_file

    arrays = load_file(path)
    gcn = Gcn(arrays["first"].astype(np.float64), arrays["second"].astype(np.float64))
    if "edges" in arrays:
        classes = arrays["classes"].astype(np.int64)
        graph = graph_of(arrays["edges"].astype(np.int64), len(classes))
        words = np.unpackbits(arrays["words"], axis=1, count=WORDS)
        nodes = Nodes(graph, words, classes, arrays["known"].astype(np.int64))
        return Stored(see(graph, gcn, words), nodes, arrays["anchors"].astype(np.int64))
    sides = karate_sides()
    graph = graph_of(karate_edges(), len(sides))
    nodes = Nodes(graph, np.zeros((len(sides), 0), dtype=np.uint8), sides, np.array(KNOWN))
    return Stored(see(graph, gcn, None), nodes, arrays["anchors"].astype(np.int64))


@lru_cache(maxsize=1)
def club() -> Stored:
    """The karate club as it ships."""
    return load_gcn(GEOMETRIC / CLUB_FILE)


@lru_cache(maxsize=1)
def block() -> Stored:
    """The graph of the block model as it ships."""
    return load_gcn(GEOMETRIC / BLOCK_FILE)
