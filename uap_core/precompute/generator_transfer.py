"""The transfer matrix, as NAG reports it: draws of every generator on every network of its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from uap_core.experiments.generator_draws import transfer_row
from uap_core.experiments.generator_rows import TransferRow
from uap_core.experiments.networks import EMBEDDED, LITES, MATRICES
from uap_core.io.results import Table, read_table, write_table
from uap_core.models.robust_variants import UNIVERSAL, twin_key
from uap_core.models.zoo import QUICK_MODEL
from uap_core.perturbations.generators import load_generator
from uap_core.precompute.generator_sights import made_by, sight_of, told_of
from uap_core.precompute.generators import GeneratorRecipe, path_of
from uap_core.precompute.materials import Job, Materials

DRAWS = 12  # of each generator: two of each of six labels, three of each of four
PHOTOGRAPHS = 200  # of many
# With both of ResNet-64's robust twins. The universally trained one learnt against one pattern.
COLUMNS = {QUICK_MODEL: (*EMBEDDED, twin_key(QUICK_MODEL, UNIVERSAL)), LITES[0]: MATRICES["imagenet"]}


def transfer_jobs(materials: Materials, recipes: Sequence[GeneratorRecipe]) -> list[Job]:
    """A matrix for each size of picture that there are generators for."""
    networks = dict.fromkeys(recipe.network for recipe in recipes)
    return [transfer_job(materials, key, [recipe for recipe in recipes if recipe.network == key]) for key in networks]


def transfer_job(materials: Materials, key: str, recipes: Sequence[GeneratorRecipe]) -> Job:
    """All seeds of ``recipes`` on all networks of their size. Rows wait with the work until all are there."""
    name = f"{key}-generators-transfer"
    path, waiting, columns = materials.results / f"{name}.json", materials.work / f"{name}.json", COLUMNS[key]
    every = [(column, replace(recipe, seed=seed)) for column in columns for recipe in recipes for seed in recipe.seeds]
    cells = {(column, recipe.file, recipe.seed): (column, recipe) for column, recipe in every}
    shipping: list[Any] = [made_by(recipe)["generator"] for recipe in recipes]
    stated = {"generators": shipping, "draws": DRAWS}

    def known(at: Path) -> list[TransferRow]:
        """The rows of generators that are still the same."""
        table = read_table(at, TransferRow) if at.is_file() else None
        if table is None or table.provenance.get("draws") != DRAWS:
            return []
        same = [entry["file"] for entry in table.provenance["generators"] if entry in shipping]
        return [row for row in table.rows if row.generator in same]

    def missing(rows: Sequence[TransferRow]) -> list[tuple[str, GeneratorRecipe]]:
        there = {(row.network, row.generator, row.seed) for row in rows}
        return [wanted for cell, wanted in cells.items() if cell not in there]

    def run() -> Iterator[str]:
        told, rows = told_of(materials, columns, PHOTOGRAPHS) | stated, known(waiting) or known(path)
        for column, recipe in missing(rows):
            sight = sight_of(materials, column, PHOTOGRAPHS)
            rows.append(transfer_row(recipe.file, load_generator(path_of(materials, recipe)), sight, recipe.seed, DRAWS))
            yield str(rows[-1])
            write_table(Table(f"Draws of {key}'s generators on other networks", rows, told), waiting)
        rows.sort(key=lambda row: list(cells).index((row.network, row.generator, row.seed)))
        write_table(Table(f"Draws of {key}'s generators on other networks", rows, told), path)

    return Job("generators", name, {}, lambda: not missing(known(path)), run)
