"""The precomputed tables of patterns for some classes alone, and of several together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from toys import SIDE, ToyZoo, smooth_network, toy_set

from uap_core.crafting.class_alone import ClassAlone
from uap_core.experiments.class_alone import KINDS, SidesRow
from uap_core.experiments.several import SeveralRow
from uap_core.io.results import read_table
from uap_core.models.zoo import QUICK_MODEL
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation, save_perturbation
from uap_core.precompute import several as room
from uap_core.precompute.materials import Materials

CRAFT, HELD_OUT = toy_set("toy (craft)", 60, 0), toy_set("held out", 40, 1)
FOLDERS = tuple(f"n{number}" for number in range(5))


@pytest.fixture
def materials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Materials:
    network = smooth_network(0, spread=0.4)
    network.card = replace(network.card, key=QUICK_MODEL, sha256=network.weights_hash)
    network.class_ids = FOLDERS
    answers = network(CRAFT.images()).argmax(dim=1)
    craft = replace(CRAFT, classes=tuple(FOLDERS[i] for i in answers.tolist()))
    monkeypatch.setattr(Materials, "splits", lambda self, key, source=None: (craft, HELD_OUT))
    monkeypatch.setattr(Materials, "held_out", lambda self, key: HELD_OUT)
    commonest = network.labels[int(answers.mode().values)]
    monkeypatch.setattr(room, "ALONE", ((commonest, ""), (commonest, next(n for n in "abcde" if n != commonest))))
    monkeypatch.setattr(room, "METHOD", ClassAlone(classes=(0,), budget=16))
    monkeypatch.setattr(room, "BUDGET", 16)
    monkeypatch.setattr(room, "COUNT", 2)
    monkeypatch.setattr(room, "EPSILONS", {QUICK_MODEL: (20.0, 10.0)})
    found = Materials(ToyZoo({QUICK_MODEL: network}), {SIDE: Path("toy.zip")}, tmp_path, tmp_path)  # type: ignore[arg-type]
    nothing = Perturbation("nothing", torch.zeros(3, SIDE, SIDE), Ball("linf", 10 / 255))
    save_perturbation(nothing, tmp_path / f"{QUICK_MODEL}-linf10.safetensors")
    return found


def test_each_group_beside_the_others_once(materials: Materials) -> None:
    (job, _) = room.several_jobs(materials, [QUICK_MODEL])
    assert not job.is_done()
    assert len(list(job.run())) == 2
    assert job.is_done()
    table = read_table(materials.results / f"{QUICK_MODEL}-alone.json", SidesRow)
    assert [row.kind for row in table.rows] == [KINDS[1], KINDS[2], KINDS[0]] * 2
    assert all(row.inside.total + row.outside.total == 40 for row in table.rows)
    assert all((row.inside.count, row.outside.count) == (0, 0) for row in table.rows if row.kind == KINDS[1])
    said = list(table.provenance["patterns"].values())
    assert "classes" not in said[0]["settings"]
    assert said[1]["settings"]["keep"] == 1.0
    assert list(job.run()) == []


def test_a_stopped_curve_goes_on_at_the_next_strength(materials: Materials) -> None:
    (_, job) = room.several_jobs(materials, [QUICK_MODEL])
    run = job.run()
    for _row in range(3):
        next(run)  # the second strength has begun
    run.close()
    assert not job.is_done()
    assert len(list(job.run())) == 2, "the first strength is kept"
    assert job.is_done()
    rows = read_table(materials.results / f"{QUICK_MODEL}-several.json", SeveralRow).rows
    assert [(row.epsilon, row.patterns) for row in rows] == [(10.0, 1), (10.0, 2), (20.0, 1), (20.0, 2)]
    assert all(row.any_of.count >= row.foreseen.count for row in rows)


def test_the_pictures_of_the_classes_and_some_others(materials: Materials) -> None:
    network = materials.network(QUICK_MODEL)
    craft, _ = materials.splits(QUICK_MODEL)
    found = room.of_classes_and_others(craft, network, (0, 3), 5)
    assert sum(name in ("n0", "n3") for name in found.classes) == sum(name in ("n0", "n3") for name in craft.classes)
    assert sum(name not in ("n0", "n3") for name in found.classes) == 5
