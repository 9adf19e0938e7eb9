from __future__ import annotations

import torch
from toys import SIDE, seeded, toy_set

from uap_core.crafting.problem import Problem
from uap_core.experiments.matrix import fooling_matrix
from uap_core.norms import Ball
from uap_core.perturbation import Perturbation

IMAGES = toy_set("some", 40, 3)
BALL = Ball("linf", 40 / 255)


def test_every_cell_is_the_fooling_rate_of_its_pattern_on_its_network(zoo) -> None:
    patterns = [
        Perturbation(name, BALL.random_signs((3, SIDE, SIDE), seeded(seed)), BALL, {"network": networks})
        for seed, (name, networks) in enumerate([("a", "one"), ("b", "one, two")])
    ]
    networks = list(zoo.networks.values())
    rows = list(fooling_matrix(patterns, networks, IMAGES, [BALL, Ball("l2", 1.0)], seed=7))
    cells = {(row.perturbation, row.network): row for row in rows}
    assert len(rows) == len(cells) == 8
    signs = BALL.random_signs((3, SIDE, SIDE), torch.Generator().manual_seed(7))
    rates = set()
    for network in networks:
        problem = Problem.pose([network], IMAGES.pixels, BALL)
        for name, v in {"a": patterns[0].pattern, "b": patterns[1].pattern, f"random signs, {BALL}": signs}.items():
            assert cells[name, network.card.name].fooling_rate == problem.rate(v)
            rates.add(problem.rate(v))
    assert len(rates) > 2
    assert [cells[name, network].crafted_on for name in "ab" for network in ("One", "Two")] == [True, False, True, True]
