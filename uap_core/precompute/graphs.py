"""The graphs that ship: networks, anchors, and the tables of what flips and anchors do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from uap_core.geometric.graphs import block_model as model
from uap_core.geometric.graphs.graph import graph_of
from uap_core.geometric.graphs.karate import KNOWN, karate_edges, karate_sides
from uap_core.geometric.graphs.learning import train_gcn
from uap_core.geometric.graphs.measured import (
    ANCHORS,
    HELD_OUT,
    RANDOM_SETS,
    TARGETS,
    VICTIMS,
    AnchorRow,
    TargetRow,
    anchor_rows,
    best_anchors,
    target_rows,
)
from uap_core.geometric.graphs.stored import BLOCK_FILE, CLUB_FILE, load_gcn, save_gcn
from uap_core.geometric.graphs.unnoticed import THRESHOLD
from uap_core.io.results import Table, write_table
from uap_core.perturbations.perturbation import versions

TARGETS_TABLE, ANCHORS_TABLE = "graph-targets.json", "graph-anchors.json"
CLUB, BLOCK = "karate club", "block model"
NONE = np.empty(0, dtype=np.int64)


def publish_graphs(folder: Path, seed: int) -> Iterator[str]:
    """Make everything of graphs anew in ``folder``, telling of progress. Some minutes on one core."""
    sides = karate_sides()
    club_graph = graph_of(karate_edges(), len(sides))
    save_gcn(folder / CLUB_FILE, train_gcn(club_graph, None, sides, np.array(KNOWN), seed), None, NONE)
    nodes = model.block_model(seed)
    gcn = train_gcn(nodes.graph, nodes.words, nodes.classes, nodes.known, seed)
    save_gcn(folder / BLOCK_FILE, gcn, nodes, NONE)
    club, block = load_gcn(folder / CLUB_FILE), load_gcn(folder / BLOCK_FILE)
    order = block.held_out()
    targets, victims, measured = np.split(order[: TARGETS + VICTIMS + HELD_OUT], [TARGETS, TARGETS + VICTIMS])
    anchors = np.array(best_anchors(block.seen, victims, np.concatenate([measured, targets]), ANCHORS))
    save_gcn(folder / BLOCK_FILE, gcn, nodes, anchors)
    yield f"anchors {anchors.tolist()}"
    unknown = np.setdiff1d(np.arange(len(nodes.classes)), nodes.known)
    provenance = {
        "seed": seed,
        "accuracy": float((block.predicted == nodes.classes)[unknown].mean()),
        "club_accuracy": float((club.predicted == sides).mean()),
        "nodes": len(nodes.classes),
        "edges": len(nodes.graph.edges()),
        "classes": model.CLASSES,
        "words": model.WORDS,
        "model": {"mean_degree": model.MEAN_DEGREE, "within": model.WITHIN, "own": model.OWN_WORD, "other": model.OTHER_WORD},
    }
    rows: list[TargetRow] = []
    for name, stored, chosen in ((CLUB, club, club.held_out()), (BLOCK, block, targets)):
        for row in target_rows(stored, name, chosen):
            rows.append(row)
            yield f"{row.graph}, {row.kind}, {row.flips} flips: {row.fooled}; refused {row.refused}"
    said = provenance | {"threshold": THRESHOLD} | versions()
    write_table(Table("Flips that one node needs", rows, said), folder / TARGETS_TABLE)
    found: list[AnchorRow] = []
    for line in anchor_rows(block, anchors, measured, seed):
        found.append(line)
        yield f"{line.anchors} anchors: {line.fooled}; random {line.random}"
    more = provenance | {"victims": VICTIMS, "random_sets": RANDOM_SETS, "anchors": anchors.tolist()} | versions()
    write_table(Table("Anchors that change the class of any victim", found, more), folder / ANCHORS_TABLE)
