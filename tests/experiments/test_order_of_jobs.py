"""When a curve is whole, and in which order jobs are done."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from toys import SIDE, ToyZoo, toy_set

from uap_core.crafting.default import Default
from uap_core.models.zoo import Zoo
from uap_core.precompute import curves
from uap_core.precompute.curves import curve_job
from uap_core.precompute.materials import Materials
from uap_core.precompute.plan import PARTS, jobs

CRAFT, HELD_OUT = toy_set("toy (craft)", 20, 0), toy_set("held out", 25, 1)


@pytest.fixture
def sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Materials, "splits", lambda self, key, source=None: (CRAFT, HELD_OUT))
    monkeypatch.setattr(Materials, "held_out", lambda self, key: HELD_OUT)


def test_a_curve_is_whole_when_every_seed_is(zoo: ToyZoo, sets: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "SEEDS", 2)
    job = curve_job(Materials(zoo, {SIDE: Path("toy.zip")}, tmp_path), "one", "real", Default(budget=8, batch_size=4))
    list(islice(job.run(), 4))  # all sizes of the first seed
    assert not job.is_done()
    list(job.run())
    assert job.is_done()


def test_patterns_are_made_before_what_is_measured_with_them(sets: None, tmp_path: Path) -> None:
    found = jobs(Materials(Zoo(), {64: Path("toy.zip")}, tmp_path, tmp_path, tmp_path), PARTS, ["resnet64"])
    parts = list(dict.fromkeys(job.part for job in found))
    assert parts == [part for part in PARTS if part in parts]
