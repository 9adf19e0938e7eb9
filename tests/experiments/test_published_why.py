from __future__ import annotations

from pathlib import Path

import pytest
import torch
from toys import SIDE, ToyZoo, seeded, toy_set

from uap_core.experiments.directions import DirectionRow
from uap_core.experiments.label_graph import Move
from uap_core.experiments.normals import NORMALS, SingularRow, SubspaceRow
from uap_core.io.results import read_table
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation, save_perturbation
from uap_core.precompute import geometry as room
from uap_core.precompute.geometry import why_jobs
from uap_core.precompute.materials import Materials

CRAFT, HELD_OUT = toy_set("toy (craft)", 20, 0), toy_set("held out", 25, 1)
ROWS = {"dominant-linf10": Move, "dominant": Move, "normals": SingularRow, "subspace": SubspaceRow, "directions": DirectionRow}


@pytest.fixture
def materials(zoo: ToyZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Materials:
    monkeypatch.setattr(Materials, "splits", lambda self, key, source=None: (CRAFT, HELD_OUT))
    monkeypatch.setattr(Materials, "held_out", lambda self, key: HELD_OUT)
    monkeypatch.setattr(room, "NORMALS_OF", (12, 12))
    monkeypatch.setattr(room, "MEASURED_ON", (15, 15))
    ball = Ball("l2", 3.0)
    pattern = ball.random_signs((3, SIDE, SIDE), seeded(0))
    save_perturbation(Perturbation("one", pattern, ball, {"network": "one"}), tmp_path / "one-l2.safetensors")
    bounded = Ball("linf", 0.1)
    signs = Perturbation("one", bounded.random_signs((3, SIDE, SIDE), seeded(1)), bounded, {"network": "one", "seed": 1})
    save_perturbation(signs, tmp_path / "one-linf10.safetensors")
    return Materials(zoo, {SIDE: Path("toy.zip")}, tmp_path / "results", tmp_path, tmp_path / "work")  # type: ignore[arg-type]


def test_each_job_writes_its_table_with_its_sets(materials: Materials, zoo: ToyZoo) -> None:
    jobs = why_jobs(materials, "one")
    assert [job.name for job in jobs] == [f"one-{name}" for name in ROWS]
    assert not any(job.is_done() for job in jobs)
    for job in jobs:
        assert list(job.run())
        assert job.is_done()
    tables = {name: read_table(materials.results / f"one-{name}.json", kind) for name, kind in ROWS.items()}
    for name, pattern in (("dominant", "one-l2"), ("dominant-linf10", "one-linf10")):
        assert sum(move.images for move in tables[name].rows) == 25, "labels are counted over all held-out images"
        assert tables[name].provenance["pattern_file"] == f"{pattern}.safetensors"
    assert sum(row.kind == NORMALS for row in tables["normals"].rows) == 12
    assert {row.fooling_rate.total for name in ("subspace", "directions") for row in tables[name].rows} == {15}
    stated = tables["directions"].provenance
    assert stated["normals_of"] == "12 craft images"
    assert stated["measured_on"] == "15 of the held-out images"
    assert stated["held_out"] == "25 images of held out"
    assert stated["pattern_file"] == "one-l2.safetensors"
    assert "pattern_file" not in tables["normals"].provenance | tables["subspace"].provenance
    assert not set(CRAFT.files) & set(HELD_OUT.files)


def test_normals_are_computed_once_and_no_table_depends_on_which_were_made_before(
    materials: Materials, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    original = room.unit_normals
    monkeypatch.setattr(room, "unit_normals", lambda *words: asked.append(words) or original(*words))
    for job in why_jobs(materials, "one"):
        list(job.run())
    assert len(asked) == 1
    path = materials.results / "one-directions.json"
    rows = read_table(path, DirectionRow).rows
    path.unlink()
    list(why_jobs(materials, "one")[-1].run())
    assert read_table(path, DirectionRow).rows == rows


def test_another_pattern_or_network_begins_anew_and_none_waits(materials: Materials, tmp_path: Path, zoo: ToyZoo) -> None:
    jobs = why_jobs(materials, "one")
    for job in jobs:
        list(job.run())
    ball = Ball("l2", 3.0)
    other = Perturbation("one", torch.full((3, SIDE, SIDE), 0.1), ball, {"network": "one", "seed": 7})
    save_perturbation(other, tmp_path / "one-l2.safetensors")
    done = {job.name: job.is_done() for job in why_jobs(materials, "one")}
    of_the_pattern = {"one-dominant": False, "one-directions": False}
    assert done == {"one-dominant-linf10": True, "one-normals": True, "one-subspace": True, **of_the_pattern}
    assert not any(job.is_done() for job in why_jobs(materials, "two")), "there is no pattern of that network yet"
