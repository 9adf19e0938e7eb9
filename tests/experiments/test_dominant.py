from __future__ import annotations

import torch
from toys import SIDE, seeded, smooth_network, toy_set

from uap_core.experiments.label_graph import (
    Edge,
    Move,
    components,
    edges,
    hubs,
    label_moves,
    perturbed_counts,
    share_of_top,
)
from uap_core.metrics import Rate, predict
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation

MOVES = [
    Move("ant", "ant", 2),
    Move("ant", "hen", 5),
    Move("bee", "hen", 3),
    Move("bee", "fox", 3),
    Move("cat", "cat", 4),
    Move("cat", "fox", 1),
    Move("dog", "eel", 2),
    Move("eel", "dog", 1),
]


def test_an_edge_leads_to_the_label_that_most_images_become() -> None:
    assert edges(MOVES) == [
        Edge("ant", "hen", Rate(5, 7)),
        Edge("bee", "hen", Rate(3, 6)),  # hen and fox alike: hen swallows more in all
        Edge("dog", "eel", Rate(2, 2)),
        Edge("eel", "dog", Rate(1, 1)),
    ], "the cat mostly stays a cat"


def test_hubs_parts_and_shares_of_a_graph_made_by_hand() -> None:
    graph = edges(MOVES)
    assert {hub: [edge.label for edge in into] for hub, into in hubs(graph).items()} == {
        "hen": ["ant", "bee"],
        "eel": ["dog"],
        "dog": ["eel"],
    }
    assert list(hubs(graph)) == ["hen", "eel", "dog"], "who swallows most images comes first"
    assert components(graph) == [["ant", "bee", "hen"], ["dog", "eel"]]
    assert perturbed_counts(MOVES) == {"hen": 8, "fox": 4, "cat": 4, "ant": 2, "eel": 2, "dog": 1}
    assert [share_of_top(MOVES, count) for count in (1, 3, 10)] == [Rate(8, 21), Rate(16, 21), Rate(21, 21)]


def test_parts_that_a_later_arrow_joins_are_one() -> None:
    graph = [Edge(*pair, Rate(1, 1)) for pair in (("a", "b"), ("c", "d"), ("e", "f"), ("b", "c"), ("g", "a"))]
    assert components(graph) == [["a", "b", "c", "d", "g"], ["e", "f"]]


def test_nothing_moves_without_a_pattern_and_everything_is_counted_with_one() -> None:
    network, images, ball = smooth_network(0, spread=0.3), toy_set("some", 70, 1), Ball("l2", 6.0)
    pattern = Perturbation("random", ball.random_signs((3, SIDE, SIDE), seeded(0)), ball)
    *_, still = label_moves(network, pattern.scaled_to(0.0), images)
    assert all(move.label == move.becomes for move in still)
    assert edges(still) == []
    grown = list(label_moves(network, pattern, images))
    assert [sum(move.images for move in moves) for moves in grown] == [32, 64, 70], "a list after every batch"
    before = predict(network, images.batches())
    after = predict(network, [pattern.apply(batch) for batch in images.batches()])
    names = network.labels
    for move in grown[-1]:
        pairs = (before == names.index(move.label)) & (after == names.index(move.becomes))
        assert move.images == int(pairs.sum())
    assert int((before != after).sum()) == sum(move.images for move in grown[-1] if move.label != move.becomes) > 0
    assert torch.equal(torch.bincount(before, minlength=5).sum(), torch.tensor(70))
