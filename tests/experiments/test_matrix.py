from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import SIDE, seeded, toy_set

from uap_core.crafting.problem import Problem
from uap_core.experiments.origins import GAUSSIAN, RANDOM_SIGNS, MatrixRow, Origin, origin_name, row_of
from uap_core.experiments.transfer_matrix import as_text, fooling_matrix, kept_cells, noises
from uap_core.io.results import Table
from uap_core.metrics import Rate
from uap_core.models.card import Card
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation

IMAGES = toy_set("some", 40, 3)
BALL = Ball("linf", 40 / 255)


def test_every_cell_is_the_fooling_rate_of_its_pattern_on_its_network(zoo) -> None:
    patterns = {
        key: Perturbation("its name", BALL.random_signs((3, SIDE, SIDE), seeded(seed)), BALL, {"network": networks})
        for seed, (key, networks) in enumerate([("a", "one"), ("b", "one, two")])
    }
    networks = list(zoo.networks.values())
    rows = list(fooling_matrix(patterns, networks, IMAGES, [BALL, Ball("l2", 1.0)], seed=7))
    cells = {(row.origin, row.network): row for row in rows}
    assert len(rows) == len(cells) == 12
    signs = BALL.random_signs((3, SIDE, SIDE), torch.Generator().manual_seed(7))
    rates = set()
    for network in networks:
        problem = Problem.pose([network], IMAGES.pixels, BALL)
        known = {Origin(key): found.pattern for key, found in patterns.items()}
        for origin, v in (known | {Origin(RANDOM_SIGNS, BALL.p, BALL.radius): signs}).items():
            assert cells[origin, network.card.key].fooling_rate == problem.rate(v)
            rates.add(problem.rate(v))
    assert len(rates) > 2
    assert [cells[Origin(key), network].crafted_on for key in "ab" for network in ("one", "two")] == [True, False, True, True]


@given(st.sampled_from(["linf", "l2"]), st.floats(0.01, 0.5), st.integers(1, 40), st.integers(0, 100))
def test_noise_has_the_l2_norm_of_random_signs(p: str, radius: float, side: int, seed: int) -> None:
    ball = Ball(p, radius)
    signs, noise = noises([ball], (3, side, side), seed).values()
    size = radius * math.sqrt(3 * side * side) if p == "linf" else radius
    assert float(signs.norm()) == pytest.approx(size, rel=1e-4)
    assert float(noise.norm()) == pytest.approx(size, rel=1e-4)
    assert signs.abs().max() == pytest.approx(float(signs.abs().min()))
    if side > 8:
        assert float(noise.abs().max()) > 2 * float(noise.square().mean().sqrt()), "as a bell has it"


def test_noise_is_called_by_its_size() -> None:
    found = noises([Ball("linf", 10 / 255), Ball("l2", 1.0)], (3, 10, 10), 0)
    assert [origin_name(origin, {}) for origin in found] == [
        "random signs, l_inf 10/255",
        "random signs, l2 255/255 = 1",
        "Gaussian noise, stddev 10/255",
        "Gaussian noise, stddev 14.72/255",
    ]


def test_known_cells_are_left_out(zoo, monkeypatch) -> None:
    networks = list(zoo.networks.values())
    whole = list(fooling_matrix({}, networks, IMAGES, [BALL], seed=7))
    assert [row.network for row in whole] == ["one", "one", "two", "two"]
    known = {(row.origin, row.network) for row in whole[:3]}
    seen = []
    monkeypatch.setattr(networks[0], "forward", lambda x: seen.append(x))
    assert list(fooling_matrix({}, networks, IMAGES, [BALL], 7, known)) == whole[3:]
    assert not seen, "a network without missing cells is not even asked for its clean predictions"


STATED = {
    "network": "one, two",
    "weights_sha256": "11, 22",
    "held_out": "40 images of some",
    "patterns": {"a.safetensors": "monday", "b.safetensors": "monday"},
    "seed": 0,
}
FILES = ("a.safetensors", "b.safetensors")
ORIGINS = (*map(Origin, FILES), Origin(RANDOM_SIGNS, "l2", 1.0), Origin(GAUSSIAN, size=1 / 255))
ROWS = [row_of(origin, network, False, Rate(1, 2)) for network in ("one", "two") for origin in ORIGINS]


def cards(**weights: str) -> dict[str, Card]:
    return {key: Card(key, key, "embedded", "", 8, 8, "none", "", sha256=sha256) for key, sha256 in weights.items()}


def kept(change: dict[str, object], **weights: str) -> set[tuple[str, str]]:
    now = cards(**({"one": "11", "two": "22", "three": "33"} | weights))
    found = kept_cells(Table("", list(ROWS), STATED | {"time": "then"}), STATED | change, now)
    return {(row.perturbation, row.network) for row in found}


def test_cells_are_kept_while_images_weights_and_pattern_stay() -> None:
    everything = {(row.perturbation, row.network) for row in ROWS}
    assert kept({}) == everything
    assert kept({"held_out": "41 images of some"}) == kept({"seed": 1}) == set()
    assert kept({}, two="23") == {cell for cell in everything if cell[1] == "one"}
    assert kept({"network": "one, two, three"}) == everything
    newer = {"patterns": {"a.safetensors": "tuesday", "b.safetensors": "monday", "c.safetensors": "tuesday"}}
    assert kept(newer) == {cell for cell in everything if cell[0] != "a.safetensors"}
    assert kept({"patterns": {"b.safetensors": "monday"}}) == {cell for cell in everything if cell[0] != "a.safetensors"}
    assert kept_cells(None, STATED, {}) == []


def test_as_text() -> None:
    rows = [
        MatrixRow("fgsm", "one", True, Rate(1, 2), 0.0392, made_on="one"),
        MatrixRow("fgsm", "two", False, Rate(1, 3), 0.0392, made_on="one"),
        MatrixRow("nothing", "two", False, Rate(0, 3)),
    ]
    head, first, last = as_text(rows, {"one": "One", "two": "Two"}).splitlines()
    assert head.split() == ["One", "Two", "distortion"]
    assert first.split() == ["FGSM,", "made", "on", "One", "50.0%*", "33.3%", "0.0392"]
    assert last.split() == ["nothing", "0.0%"]
    assert first.index("33.3%") == last.index("0.0%") - 1, "one column for a network"
    assert not as_text([], {})
