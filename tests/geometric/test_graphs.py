"""Graphs: exact flips, what is refused, and what ships."""

from __future__ import annotations

import numpy as np
import pytest

from uap_core.geometric.graphs.anchors import anchor_rate, connected
from uap_core.geometric.graphs.flips import logits_after, logits_after_words
from uap_core.geometric.graphs.gcn import see
from uap_core.geometric.graphs.graph import Graph
from uap_core.geometric.graphs.karate import KNOWN, karate_edges, karate_sides
from uap_core.geometric.graphs.learning import train_gcn
from uap_core.geometric.graphs.measured import HELD_OUT, TARGETS, VICTIMS, AnchorRow, TargetRow
from uap_core.geometric.graphs.stored import block, club
from uap_core.geometric.graphs.targeted import DIRECT, INFLUENCERS, WORDS, attack_node
from uap_core.geometric.graphs.unnoticed import THRESHOLD, statistic, statistics_after
from uap_core.io.paths import GEOMETRIC
from uap_core.io.results import read_table


def test_the_club_is_zacharys() -> None:
    edges, sides = karate_edges(), karate_sides()
    assert len(np.unique(edges, axis=0)) == 78
    degrees = np.bincount(edges.ravel())
    assert (degrees[0], degrees[33], degrees[32], degrees[11]) == (16, 17, 12, 1)
    assert sides.sum() == 17
    assert (club().predicted == sides).mean() > 0.95


@pytest.mark.parametrize(("node", "end"), [(16, 16), (0, 0), (5, 0), (5, 16)])
def test_flips_are_scored_exactly(node: int, end: int) -> None:
    seen = club().seen
    others = np.setdiff1d(np.arange(34), [node, end])
    scored = logits_after(seen, node, end, others)
    anew = [see(seen.graph.flipped(end, int(other)), seen.gcn, None).logits()[node] for other in others]
    assert scored == pytest.approx(np.stack(anew), abs=1e-9)
    assert seen.flipped(end, int(others[0])).logits()[node] == pytest.approx(anew[0], abs=1e-9)


def test_words_are_scored_exactly() -> None:
    stored = block()
    node, words = 7, stored.nodes.words
    scored = logits_after_words(stored.seen, node, words[node])
    for word in (0, 1, 50):
        other = words.copy()
        other[node, word] ^= 1
        assert scored[word] == pytest.approx(
            see(stored.nodes.graph, stored.seen.gcn, other).logits(np.array([node]))[0], abs=1e-9
        )


def relabelled(graph: Graph, order: np.ndarray) -> Graph:
    """The same graph with node ``order[i]`` called i."""
    new = np.empty(len(order), dtype=np.int64)
    new[order] = np.arange(len(order))
    return Graph(tuple(np.sort(new[graph.neighbours[old]]) for old in order))


def test_names_of_nodes_do_not_matter() -> None:
    stored = block()
    order = np.random.default_rng(0).permutation(len(stored.nodes.classes))
    again = see(relabelled(stored.nodes.graph, order), stored.seen.gcn, stored.nodes.words[order])
    assert again.logits() == pytest.approx(stored.seen.logits()[order], abs=1e-9)


def test_the_degree_test_is_the_same_for_one_flip_and_for_many() -> None:
    graph = block().nodes.graph
    others = np.array([1, 5, int(graph.neighbours[3][0])])
    found = statistics_after(graph.degrees, graph, 3, others)
    assert found == pytest.approx([statistic(graph.degrees, graph.flipped(3, int(b)).degrees) for b in others], abs=1e-9)
    assert statistic(graph.degrees, graph.degrees) == pytest.approx(0, abs=1e-9)
    assert statistic(graph.degrees, graph.degrees * 2) > 1


@pytest.mark.parametrize("kind", [DIRECT, INFLUENCERS])
def test_an_attack_keeps_to_its_budget_and_to_what_is_not_noticed(kind: str) -> None:
    seen = club().seen
    for node in (16, 11, 4):
        attack = attack_node(seen, node, kind, 3)
        assert len(attack.steps) <= 3
        graph = seen.graph
        for step in attack.steps:
            flip = step.taken
            assert (node in (flip.a, flip.b)) == (kind == DIRECT)
            graph = graph.flipped(flip.a, flip.b)
            assert statistic(seen.graph.degrees, graph.degrees) < THRESHOLD
            assert graph.degrees.min() > 0
        again = see(graph, seen.gcn, None).logits()[node].argmax()
        assert again == attack.now
        assert attack == attack_node(seen, node, kind, 3), "the same each time"


def test_better_flips_are_refused_where_degrees_would_tell() -> None:
    first = attack_node(club().seen, 16, DIRECT, 5).steps[0]
    assert any(flip.refused == "noticed" and flip.margin < first.taken.margin for flip in first.ranked)


def test_words_that_do_not_go_together_are_refused() -> None:
    stored = block()
    node = int(stored.held_out()[0])
    attack = attack_node(stored.seen, node, WORDS, 3, stored.nodes.words)
    assert all(not step.taken.refused for step in attack.steps)
    assert attack.before > attack.steps[0].taken.margin


def test_shipped_anchors_fool_as_their_table_says() -> None:
    stored, found = block(), read_table(GEOMETRIC / "graph-anchors.json", AnchorRow)
    measured = stored.held_out()[TARGETS + VICTIMS : TARGETS + VICTIMS + HELD_OUT]
    last = found.rows[-1]
    assert last.anchors == 8
    assert last.fooled.value >= 0.7
    assert last.random.value < 0.3
    assert not set(stored.anchors) & set(stored.held_out()[: TARGETS + VICTIMS + HELD_OUT])
    some = measured[:60]
    assert anchor_rate(stored.seen, some, stored.anchors).value == pytest.approx(last.fooled.value, abs=0.2)
    assert len(connected(stored.seen, int(some[0]), stored.anchors).graph.neighbours[int(some[0])]) >= 8


def test_the_tables_reach_what_is_wanted() -> None:
    table = read_table(GEOMETRIC / "graph-targets.json", TargetRow)
    for graph in ("karate club", "block model"):
        (row,) = [row for row in table.rows if (row.graph, row.kind, row.flips) == (graph, DIRECT, 5)]
        assert row.fooled.value >= 0.9
    assert table.provenance["nodes"] > 2000


def test_training_twice_gives_the_same_network() -> None:
    graph, sides = club().nodes.graph, karate_sides()
    one, two = (train_gcn(graph, None, sides, np.array(KNOWN), 3) for _turn in range(2))
    assert (one.first == two.first).all()
    assert (one.second == two.second).all()
