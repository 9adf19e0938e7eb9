"""Patterns at equal l2 norm: only unseen cells, none made larger, and a table that goes on where it was stopped."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch
from toys import SIDE, ToyZoo, toy_set

from uap_core.experiments.equal_l2 import EqualNormRow, KindMean, at_equal_norm, kind_of, means, unseen
from uap_core.io.results import read_table
from uap_core.metrics import Rate
from uap_core.perturbations.perturbation import Perturbation, save_perturbation
from uap_core.precompute import equal_l2 as published
from uap_core.precompute.equal_l2 import equal_l2_job
from uap_core.precompute.materials import Materials
from uap_core.precompute.recipes import LINF10

HELD_OUT = toy_set("held out", 25, 1)


def pattern(network: str, method: str = "default", level: float = LINF10.radius) -> Perturbation:
    made = {"network": network, "method": method, "time": f"{network} {method} {level:.4f}"}
    return Perturbation(f"{network} {method}", torch.full((3, SIDE, SIDE), level), LINF10, made)


def test_what_a_pattern_met_and_how_it_was_made() -> None:
    assert unseen(("googlenet_bvlc",), "efficientnet_lite0")
    assert not unseen(("googlenet_bvlc", "efficientnet_lite2"), "efficientnet_lite0")  # a sibling
    assert unseen(("efficientnet_lite2",), "googlenet_bvlc")
    assert not unseen(("googlenet_bvlc",), "googlenet_bvlc")
    kinds = [kind_of(pattern(*made)) for made in (("a",), ("a, b", "transfer"), ("a", "deepfool"), ("a", "intrinsic"))]
    assert kinds == ["one", "several", "paper", "no_pictures"]


def test_rates_are_those_of_the_scaled_pattern(zoo: ToyZoo) -> None:
    network, large, small = zoo.load("one"), pattern("two"), pattern("two", level=0.1 / 255)
    norm = float(large.pattern.norm())
    rows = list(at_equal_norm({"l": large, "s": small, "own": pattern("one")}, network, HELD_OUT, LINF10, norm / 2))
    assert [row.perturbation for row in rows] == ["l", "s", "random_signs"]  # its own is none that it never met
    assert rows[0].l2 == pytest.approx(norm, abs=1e-3)
    halved = {"h": pattern("two", level=LINF10.radius / 2)}
    (by_hand, _signs) = at_equal_norm(halved, network, HELD_OUT, LINF10, norm)
    assert rows[0].scaled_rate == by_hand.fooling_rate
    assert rows[1].scaled_rate == rows[1].fooling_rate  # below the norm already: as it is


def test_means_are_over_cells_in_the_order_of_the_page() -> None:
    rows = [
        EqualNormRow("a", "paper", "x", 2.0, Rate(1, 4), Rate(0, 4)),
        EqualNormRow("a", "paper", "y", 4.0, Rate(3, 4), Rate(2, 4)),
        EqualNormRow("b", "several", "x", 5.0, Rate(4, 4), Rate(3, 4)),
    ]
    assert means(rows) == [KindMean("several", 1, 5.0, 1.0, 0.75), KindMean("paper", 2, 3.0, 0.5, 0.25)]


def test_a_stopped_table_goes_on_and_a_new_pattern_adds_its_rows(
    zoo: ToyZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Materials, "held_out", lambda self, key: HELD_OUT)
    folder = tmp_path / "perturbations"
    folder.mkdir()
    monkeypatch.setattr(published, "SMALLER", 1.0)
    save_perturbation(pattern("one"), folder / "first.safetensors")
    materials = Materials(zoo, {SIDE: Path("toy.zip")}, tmp_path, folder)
    job = equal_l2_job(materials, ("one", "two"), "toy-equal-l2")
    list(islice(job.run(), 2))
    assert not job.is_done()
    list(job.run())
    assert job.is_done()
    cells = [(row.perturbation, row.network) for row in read_table(materials.results / "toy-equal-l2.json", EqualNormRow).rows]
    assert sorted(cells) == [("first.safetensors", "two"), ("random_signs", "one"), ("random_signs", "two")]
    save_perturbation(pattern("two", "deepfool"), folder / "second.safetensors")
    assert not job.is_done()
    assert len(list(job.run())) == 1  # the rest stays
    assert job.is_done()
