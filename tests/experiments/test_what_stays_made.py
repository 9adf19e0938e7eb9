"""A renamed class, a setting with a default, a reworded row or another method leave what is made as it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, make_dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest
from toys import SIDE, ToyZoo, convolutional_network, toy_set

from uap_core.crafting import default as default_module
from uap_core.crafting.default import Default
from uap_core.crafting.menu import MENU as METHODS
from uap_core.crafting.menu import Item
from uap_core.crafting.spgd import SPGD
from uap_core.experiments import ablations
from uap_core.experiments import epsilon_sweep as sweep
from uap_core.experiments.convergence import ConvergenceRow
from uap_core.io.results import read_table
from uap_core.norms import Ball
from uap_core.precompute import methods as published_methods
from uap_core.precompute.curves import curve_job
from uap_core.precompute.library import library_job, matrix_job, sweep_job
from uap_core.precompute.materials import Job, Materials
from uap_core.precompute.methods import ablation_job, convergence_job
from uap_core.precompute.recipes import Recipe

CRAFT, HELD_OUT = toy_set("toy (craft)", 360, 0), toy_set("held out", 25, 1)
RENAMED = make_dataclass("Renamed", [], bases=(Default,), namespace={"key": "default"}, frozen=True, kw_only=True)


@dataclass(frozen=True, kw_only=True)
class WithMore(Default):
    """Ours as it may be one day."""

    key: ClassVar[str] = "default"
    novelty: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Toy(SPGD):
    """A method that was not there before."""

    key: ClassVar[str] = "toy"


@pytest.fixture
def materials(zoo: ToyZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Materials:
    monkeypatch.setattr(Materials, "splits", lambda self, key, source=None: (CRAFT, HELD_OUT))
    monkeypatch.setattr(Materials, "held_out", lambda self, key: HELD_OUT)
    monkeypatch.setattr(published_methods, "MENU", {key: METHODS[key] for key in ("default", "spgd")})
    monkeypatch.setattr(published_methods, "BUDGET", 32)
    monkeypatch.setattr(published_methods, "ABLATION_BUDGET", 64)
    monkeypatch.setattr(published_methods, "SEEDS", 1)
    (tmp_path / "patterns").mkdir()
    return Materials(zoo, {SIDE: Path("toy.zip")}, tmp_path / "results", tmp_path / "patterns", tmp_path / "work")  # type: ignore[arg-type]


def done(job: Job) -> Job:
    assert not job.is_done()
    list(job.run())
    assert job.is_done()
    return job


@pytest.mark.parametrize("kind", [RENAMED, WithMore])
def test_a_renamed_class_or_one_with_more_settings(kind: type[Default], materials: Materials) -> None:
    recipe = Recipe("one-linf", ("one",), Ball("linf", 20 / 255), Default(budget=24, batch_size=4), images=20)
    done(library_job(materials, recipe))
    done(curve_job(materials, "one", "real", Default(budget=8)))
    assert library_job(materials, replace(recipe, method=kind(budget=24, batch_size=4))).is_done()
    assert not library_job(materials, replace(recipe, method=kind(budget=24, batch_size=5))).is_done()
    assert curve_job(materials, "one", "real", kind(budget=8)).is_done()
    assert not curve_job(materials, "one", "real", kind(budget=8, rate=0.5)).is_done()


def test_a_method_that_joins_leaves_the_others_of_a_convergence_table(
    materials: Materials, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(convergence_job(materials, "one"))
    path = materials.results / "one-convergence.json"
    before = read_table(path, ConvergenceRow).rows
    module = ModuleType("uap_core.crafting.toy")
    module.Toy = Toy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uap_core.crafting.toy", module)
    toy = Item("toy", "Toy", "", "", module="uap_core.crafting.toy", class_name="Toy")
    monkeypatch.setitem(METHODS, "toy", toy)
    monkeypatch.setattr(published_methods, "MENU", {"default": METHODS["default"], "toy": toy, "spgd": METHODS["spgd"]})
    job = convergence_job(materials, "one")
    assert not job.is_done()
    assert [line.partition(":")[0] for line in job.run()] == ["toy"]
    assert job.is_done()
    after = read_table(path, ConvergenceRow)
    assert [row for row in after.rows if row.method != "toy"] == before
    assert list(dict.fromkeys(row.method for row in after.rows)) == ["default", "toy", "spgd"]
    assert after.provenance["methods"]["toy"]["time"]


def test_a_method_that_changes_is_measured_again_alone(materials: Materials, monkeypatch: pytest.MonkeyPatch) -> None:
    done(convergence_job(materials, "one"))
    monkeypatch.setattr(default_module, "Default", WithMore)
    assert convergence_job(materials, "one").is_done(), "another class that does the same"
    now = make_dataclass(
        "Default", [("rate", float, 0.5)], bases=(Default,), namespace={"key": "other"}, kw_only=True, frozen=True
    )
    monkeypatch.setattr(default_module, "Default", now)
    assert [line.partition(":")[0] for line in convergence_job(materials, "one").run()] == ["default"]


def test_a_variant_that_joins_or_is_reworded_leaves_the_others(materials: Materials, monkeypatch: pytest.MonkeyPatch) -> None:
    network = convolutional_network()  # one variant begins with a hidden layer
    network.card = materials.card("one")
    materials.zoo.networks["one"] = network  # type: ignore[attr-defined]
    done(ablation_job(materials, "one"))
    monkeypatch.setitem(ablations.NAMES, "half_rate", "the rate halved")
    assert ablation_job(materials, "one").is_done()
    monkeypatch.setitem(ablations.SETTINGS, "third_rate", {"rate": 1 / 3})
    monkeypatch.setitem(ablations.NAMES, "third_rate", "a third of the rate")
    monkeypatch.setitem(ablations.SETTINGS, "half_rate", {"rate": 0.49})
    lines = list(ablation_job(materials, "one").run())
    assert [line.partition(":")[0] for line in lines] == ["seed 0, the rate halved", "seed 0, a third of the rate"]


def test_networks_and_rows_may_be_renamed(materials: Materials, zoo: ToyZoo, monkeypatch: pytest.MonkeyPatch) -> None:
    ball = Ball("linf", 10 / 255)
    done(library_job(materials, Recipe("one-linf10", ("one",), ball, Default(budget=24, batch_size=4), images=20)))
    jobs: list[Callable[[], Job]] = [
        lambda: sweep_job(materials, "one"),
        lambda: matrix_job(materials, ("one", "two"), "both-matrix"),
        lambda: convergence_job(materials, "one"),
    ]
    for job in jobs:
        done(job())
    monkeypatch.setattr(sweep, "NAMES", dict.fromkeys(sweep.NAMES, "reworded"))
    network = zoo.networks["one"]
    network.card = replace(network.card, name="Another name")
    assert all(job().is_done() for job in jobs)
    network.card = replace(network.card, sha256="a new file", same_network=(network.card.sha256,))
    assert all(job().is_done() for job in jobs), "another file with the same network"
    network.card = replace(network.card, same_network=())
    assert not any(job().is_done() for job in jobs)
