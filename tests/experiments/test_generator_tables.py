"""Tables of generators: rows of other settings or of another file are measured anew; what is trained and measured is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from toys import seeded

from uap_core.experiments.generator_rows import DrawRow, TransferRow
from uap_core.identity import settings
from uap_core.io.results import Table, read_table, write_table
from uap_core.models.zoo import Zoo
from uap_core.perturbations.generator_network import GeneratorShape
from uap_core.perturbations.generators import PatternGenerator
from uap_core.precompute.generator_sights import made_by
from uap_core.precompute.generator_tables import generator_jobs, is_measured
from uap_core.precompute.generator_transfer import COLUMNS, DRAWS
from uap_core.precompute.generators import GeneratorRecipe, generator_recipes, path_of
from uap_core.precompute.materials import Materials


@pytest.fixture
def materials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Materials:
    for module in ("generator_sights", "generators"):
        monkeypatch.setattr(f"uap_core.precompute.{module}.GENERATORS", tmp_path)
    found = Materials(Zoo(), {}, results=tmp_path, work=tmp_path / "work")
    for recipe in generator_recipes():
        ship(found, recipe, settings(recipe.method))
    return found


def ship(materials: Materials, recipe: GeneratorRecipe, stated: dict[str, object]) -> None:
    shape = GeneratorShape(2, 8, 8, 2)
    made = PatternGenerator(shape, recipe.ball, (), *shape.start(seeded(0)), {"settings": stated})
    made.save(path_of(materials, recipe))


def measure(materials: Materials, recipe: GeneratorRecipe, seeds: tuple[int, ...], draws: int = 100) -> None:
    """Write the table of its draws, of these seeds."""
    rows = [DrawRow(recipe.file, seed, draws, 0.8, 0.1, 0.7, 0.9, 0.3, 0.2, 3, 0.5, 0.4) for seed in seeds]
    write_table(Table("", rows, made_by(recipe)), materials.results / f"{recipe.file}-draws.json")


def done(materials: Materials) -> set[str]:
    return {job.name for job in generator_jobs(materials) if job.is_done()}


def test_a_seed_that_is_measured_is_done_and_a_table_only_with_all_seeds(materials: Materials) -> None:
    recipe = generator_recipes()[0]
    assert recipe.file in done(materials)
    assert not {f"{recipe.file}-seed1", f"{recipe.file}-draws"} & done(materials)
    measure(materials, recipe, (0, 1))
    assert f"{recipe.file}-seed1" in done(materials)
    assert not {f"{recipe.file}-seed2", f"{recipe.file}-draws"} & done(materials)
    measure(materials, recipe, recipe.seeds, draws=20)
    assert f"{recipe.file}-draws" not in done(materials), "of fewer draws"
    measure(materials, recipe, recipe.seeds)
    assert {f"{recipe.file}-seed2", f"{recipe.file}-draws"} <= done(materials)


def test_another_file_or_other_settings_are_trained_and_measured_anew(materials: Materials) -> None:
    first, second, *_others = generator_recipes()
    for recipe in (first, second):
        measure(materials, recipe, recipe.seeds)
    matrix = f"{first.network}-generators-transfer"
    recipes = [recipe for recipe in generator_recipes() if recipe.network == first.network]
    told = {"generators": [made_by(recipe)["generator"] for recipe in recipes], "draws": DRAWS}
    rows = [
        TransferRow(recipe.file, seed, column, DRAWS, 0.5, 0.1, 0.4)
        for column in COLUMNS[first.network]
        for recipe in recipes
        for seed in recipe.seeds
    ]
    write_table(Table("", rows[:-1], told), materials.results / f"{matrix}.json")
    assert matrix not in done(materials), "one seed on one network is missing"
    write_table(Table("", rows, told), materials.results / f"{matrix}.json")
    assert matrix in done(materials)
    ship(materials, first, {"budget": 1})
    assert matrix not in done(materials), "of another file"
    assert first.file not in done(materials), "trained by other settings"
    assert f"{first.file}-draws" not in done(materials), "of another file"
    assert not is_measured(materials, replace(first, seed=1))
    assert f"{second.file}-draws" in done(materials)


def test_of_the_transfer_matrix_only_what_changed_is_measured_anew(
    materials: Materials, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = (recipe for recipe in generator_recipes() if recipe.network == generator_recipes()[0].network)
    matrix = f"{first.network}-generators-transfer"
    every = (first, *others)
    cells = [(column, recipe, seed) for column in COLUMNS[first.network] for recipe in every for seed in recipe.seeds]
    rows = [TransferRow(recipe.file, seed, column, DRAWS, 0.5, 0.1, 0.4) for column, recipe, seed in cells]
    told = {"generators": [made_by(recipe)["generator"] for recipe in every], "draws": DRAWS}
    write_table(Table("", rows, told), materials.results / f"{matrix}.json")
    for seed in first.seeds:
        ship(materials, replace(first, seed=seed), {"budget": 1})
    place = "uap_core.precompute.generator_transfer"
    monkeypatch.setattr(f"{place}.told_of", lambda *_asked: {})
    monkeypatch.setattr(f"{place}.sight_of", lambda _materials, key, _count: SimpleNamespace(network=key))
    anew = []

    def measured(file: str, _made: PatternGenerator, sight: SimpleNamespace, seed: int, count: int) -> TransferRow:
        anew.append((sight.network, file, seed))
        return TransferRow(file, seed, sight.network, count, 0.9, 0.1, 0.8)

    monkeypatch.setattr(f"{place}.transfer_row", measured)
    (job,) = (job for job in generator_jobs(materials) if job.name == matrix)
    list(job.run())
    assert anew == [(column, first.file, seed) for column in COLUMNS[first.network] for seed in first.seeds]
    found = read_table(materials.results / f"{matrix}.json", TransferRow).rows
    assert [row.mean for row in found] == [0.9 if recipe == first else 0.5 for _column, recipe, _seed in cells]
    assert job.is_done()
