"""The table of patterns made without photographs: each cell once, and only what was asked for."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from toys import SIDE, ToyZoo, toy_set

from uap_core.experiments import data_free as rules
from uap_core.experiments.data_free import ACTIVATIONS, DREAMS, INTRINSIC, RANDOM, DataFreeRow, by_method
from uap_core.io.results import read_table
from uap_core.metrics import Rate
from uap_core.precompute import data_free as published
from uap_core.precompute.data_free import data_free_job
from uap_core.precompute.materials import Materials

CRAFT, HELD_OUT = toy_set("toy (craft)", 20, 0), toy_set("held out", 25, 1)


@pytest.fixture
def materials(zoo: ToyZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Materials:
    monkeypatch.setattr(Materials, "splits", lambda self, key, source=None: (CRAFT, HELD_OUT))
    monkeypatch.setattr(Materials, "held_out", lambda self, key: HELD_OUT)
    monkeypatch.setattr(published, "dreams_for", lambda card: Path("one.zip") if card.key == "one" else None)
    monkeypatch.setattr(published, "SEVERAL", ("two",))
    monkeypatch.setattr(rules, "BUDGET", 16)
    return Materials(zoo, {SIDE: Path("toy.zip")}, tmp_path)  # type: ignore[arg-type]


def test_each_cell_is_computed_once_and_a_stopped_table_goes_on(materials: Materials) -> None:
    job, path = data_free_job(materials, ("one", "two"), "toy-data-free"), materials.results / "toy-data-free.json"
    assert not job.is_done()
    list(islice(job.run(), 3))
    begun = read_table(path, DataFreeRow).rows
    assert len(begun) == 3
    assert not job.is_done()
    list(job.run())
    assert job.is_done()
    table = read_table(path, DataFreeRow)
    assert all(row in table.rows for row in begun)
    cells = [(row.network, row.method, row.seed) for row in table.rows]
    assert sorted(cells) == sorted(
        [("one", method, 0) for method in (ACTIVATIONS, INTRINSIC, DREAMS, RANDOM)]  # two has no class impressions
        + [("two", method, seed) for method in (ACTIVATIONS, INTRINSIC) for seed in range(3)]
        + [("two", RANDOM, 0)]
    )
    assert all(row.fooling_rate.total == 25 for row in table.rows)
    assert {row.image_gradients for row in table.rows if row.method in (ACTIVATIONS, DREAMS)} == {16}
    assert table.provenance["held_out"] == "25 images of held out"
    assert set(table.provenance["methods"]) == {ACTIVATIONS, INTRINSIC, DREAMS, RANDOM}


def test_seeds_stay_apart() -> None:
    rows = [DataFreeRow("a", RANDOM, seed, Rate(seed, 10), 0, 0.0) for seed in (1, 2)]
    assert by_method(rows) == {("a", RANDOM): [Rate(1, 10), Rate(2, 10)]}
