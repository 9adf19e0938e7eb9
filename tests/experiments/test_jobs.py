"""Jobs: what is there is left alone, what was stopped goes on, what has changed begins anew."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from toys import SIDE, ToyZoo, toy_set

from uap_core.attacks.fgsm import FGSM
from uap_core.crafting.default import Default
from uap_core.crafting.menu import MENU as METHODS
from uap_core.experiments.disjoint_training import LearnerRow
from uap_core.experiments.origins import MatrixRow
from uap_core.experiments.sample_curve import SampleRow
from uap_core.io.results import read_table
from uap_core.metrics import Rate
from uap_core.norms import Ball
from uap_core.precompute import curves as published_curves
from uap_core.precompute import methods as published_methods
from uap_core.precompute import transfer as published_transfer
from uap_core.precompute.curves import curve_job
from uap_core.precompute.library import library_job, matrix_job
from uap_core.precompute.materials import Materials, minutes
from uap_core.precompute.methods import convergence_job
from uap_core.precompute.recipes import Recipe
from uap_core.precompute.transfer import _examples_job, _halves_job

CRAFT, HELD_OUT = toy_set("toy (craft)", 20, 0), toy_set("held out", 25, 1)
METHOD = Default(budget=24, batch_size=4)


@pytest.fixture
def materials(zoo: ToyZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Materials:
    monkeypatch.setattr(Materials, "splits", lambda self, key, source=None: (CRAFT, HELD_OUT))
    monkeypatch.setattr(Materials, "held_out", lambda self, key: HELD_OUT)
    monkeypatch.setattr(published_curves, "SEEDS", 2)
    (tmp_path / "patterns").mkdir()
    return Materials(zoo, {SIDE: Path("toy.zip")}, tmp_path / "results", tmp_path / "patterns", tmp_path / "work")  # type: ignore[arg-type]


def test_a_curve_that_was_stopped_goes_on(materials: Materials, tmp_path: Path) -> None:
    job = curve_job(materials, "one", "real", METHOD)
    path = tmp_path / "results" / "one-curve-real.json"
    assert not job.is_done()
    list(islice(job.run(), 3))
    begun = read_table(path, SampleRow)
    assert [(row.seed, row.images) for row in begun.rows] == [(0, 1), (0, 4), (0, 16)]
    assert not job.is_done()
    list(job.run())
    whole = read_table(path, SampleRow)
    assert job.is_done()
    assert whole.rows[:3] == begun.rows
    assert [(row.seed, row.images) for row in whole.rows] == [(seed, n) for seed in (0, 1) for n in (1, 4, 16, 20)]
    assert list(job.run()) == []


def test_another_method_or_network_begins_a_curve_anew(materials: Materials, zoo: ToyZoo) -> None:
    list(curve_job(materials, "one", "real", METHOD).run())
    assert not curve_job(materials, "one", "real", replace(METHOD, rate=0.5)).is_done()
    network = zoo.networks["one"]
    network.card = replace(network.card, sha256="others")
    assert not curve_job(materials, "one", "real", METHOD).is_done()


def test_a_pattern_and_the_matrix_that_waits_for_it(materials: Materials) -> None:
    first = library_job(materials, Recipe("one-linf", ("one",), Ball("linf", 20 / 255), METHOD, images=20))
    table = matrix_job(materials, ("one", "two"), "both-matrix")
    assert not first.is_done()
    list(first.run())
    assert first.is_done()
    list(table.run())
    assert table.is_done()
    list(library_job(materials, Recipe("two-linf", ("two",), Ball("linf", 20 / 255), METHOD, images=20)).run())
    assert not table.is_done()
    table_path = materials.results / "both-matrix.json"
    assert len(json.loads(table_path.read_text())["rows"]) == 2 * 5


def test_a_matrix_computes_each_cell_once(materials: Materials, zoo: ToyZoo) -> None:
    list(library_job(materials, Recipe("one-linf", ("one",), Ball("linf", 20 / 255), METHOD, images=20)).run())
    job, path = matrix_job(materials, ("one", "two"), "both-matrix"), materials.results / "both-matrix.json"
    assert len(list(islice(job.run(), 4))) == 4
    assert len(read_table(path, MatrixRow).rows) == 3, "one cell is told before it is written"
    assert not job.is_done()
    assert len(list(job.run())) == 10 - 3
    assert job.is_done()
    whole = read_table(path, MatrixRow)
    list(library_job(materials, Recipe("two-linf", ("two",), Ball("linf", 20 / 255), METHOD, images=20)).run())
    assert [line.partition(" on ")[0] for line in job.run()] == ["Two, l_inf 20/255"] * 2
    assert job.is_done()
    larger = read_table(path, MatrixRow)
    assert [row for row in larger.rows if row.perturbation != "two-linf.safetensors"] == whole.rows
    (materials.perturbations / "two-linf.safetensors").unlink()
    assert not job.is_done(), "a pattern that is gone has no row"
    assert list(job.run()) == []
    assert read_table(path, MatrixRow).rows == whole.rows


def test_examples_go_on_where_they_were_stopped(materials: Materials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_transfer, "ATTACKS", {"fgsm": FGSM(), "pgd": published_transfer.PGD})
    job = _examples_job(materials, ("one", "two"), "both-examples", 7)
    path = materials.results / "both-examples.json"
    first = list(islice(job.run(), 7))
    assert not job.is_done()
    begun = read_table(path, MatrixRow)
    assert begun.rows[0].fooling_rate.total == 7
    assert "7 of the 25 images" in begun.provenance["held_out"]
    rest = list(job.run())
    assert rest[0] == first[6], "the row that was not whole begins anew"
    assert job.is_done()
    whole = read_table(path, MatrixRow)
    assert whole.rows[:6] == begun.rows[:6]
    assert len(whole.rows) == 2 * (2 + 2) * 2
    assert len({(row.origin, row.network) for row in whole.rows}) == len(whole.rows)
    monkeypatch.setattr(published_transfer, "ATTACKS", {"fgsm": FGSM(), "pgd": FGSM(0.02)})
    job = _examples_job(materials, ("one", "two"), "both-examples", 7)
    assert not job.is_done()
    assert len(list(job.run())) == 8, "the rows of the attack that has changed, and no others"


def test_the_table_of_two_halves_states_how_well_its_networks_do(materials: Materials, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [MatrixRow("made", "a1", True, Rate(3, 4), 0.1)]
    learnt = [LearnerRow("a1", 1, Rate(1, 4), 0.5), LearnerRow("a1", 2, Rate(2, 4), 1.0)]
    monkeypatch.setattr(published_transfer, "open_for_halves", lambda source: (CRAFT, HELD_OUT))
    monkeypatch.setattr(published_transfer, "cross_training", lambda *_: iter([*learnt, *cells]))
    monkeypatch.setattr(published_transfer, "QUICK_MODEL", "one")
    job, path = _halves_job(materials), materials.results / "halves.json"
    assert not job.is_done()
    assert len(list(job.run())) == 3
    assert job.is_done()
    table = read_table(path, MatrixRow)
    assert table.rows == cells
    assert table.provenance["accuracy"] == {"a1": str(Rate(2, 4))}
    monkeypatch.setattr(published_transfer, "RECIPE", replace(published_transfer.RECIPE, epochs=2))
    assert not _halves_job(materials).is_done()


def test_the_state_of_another_recipe_is_not_gone_on_with(materials: Materials) -> None:
    recipe = Recipe("one-linf", ("one",), Ball("linf", 20 / 255), replace(METHOD, budget=4000), images=20)
    next(library_job(materials, recipe).run())
    assert list(materials.work.glob("*.state"))
    other = library_job(materials, replace(recipe, method=METHOD))
    list(other.run())
    assert other.is_done()


def test_other_pictures_make_another_pattern(materials: Materials) -> None:
    job = library_job(materials, Recipe("one-linf", ("one",), Ball("linf", 20 / 255), METHOD, images=500))
    list(job.run())
    assert job.is_done(), "a set smaller than the recipe's gives all that it has"
    materials.sources[SIDE] = Path("others.zip")
    assert not job.is_done()


def test_convergence_goes_on_with_the_methods_that_are_missing(materials: Materials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_methods, "MENU", {key: METHODS[key] for key in ("default", "spgd")})
    monkeypatch.setattr(published_methods, "BUDGET", 32)
    job = convergence_job(materials, "one")
    (line,) = islice(job.run(), 1)
    assert line.startswith("default")
    assert not job.is_done()
    assert [line.partition(":")[0] for line in job.run()] == ["spgd"]
    assert job.is_done()


def test_the_estimate_grows_with_the_work(materials: Materials) -> None:
    few = curve_job(materials, "one", "real", METHOD)
    assert minutes([], materials) == 0
    assert 0 < minutes([few], materials) < minutes([few] * 50, materials)
