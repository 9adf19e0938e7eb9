"""What is measured of the generators that ship: draws of all seeds, the polygon, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from uap_core.experiments.generator_draws import any_of, draws, middles, place_codes, place_rows, walks
from uap_core.experiments.generator_rows import DrawRow
from uap_core.io.results import Table, read_table, write_table
from uap_core.models.zoo import QUICK_MODEL
from uap_core.perturbations.generators import STRESS, load_generator
from uap_core.precompute.generator_controls import controls_job
from uap_core.precompute.generator_sights import made_by, shipped, sight_of, told_of
from uap_core.precompute.generator_trade import trade_job
from uap_core.precompute.generator_transfer import transfer_jobs
from uap_core.precompute.generators import GeneratorRecipe, generator_recipes, path_of, training_job
from uap_core.precompute.materials import Job, Materials


def generator_jobs(materials: Materials) -> list[Job]:
    """Trainings, then the tables."""
    every = generator_recipes()
    trainings = [
        training_job(materials, replace(recipe, seed=seed), lambda recipe: is_measured(materials, recipe))
        for recipe in every
        for seed in recipe.seeds
    ]
    seen = [recipe for recipe in every if recipe.labels and recipe.network == QUICK_MODEL]
    tables = [draws_job(materials, recipe) for recipe in every] + [places_job(materials, recipe) for recipe in seen]
    tables += [*transfer_jobs(materials, every), *(controls_job(materials, recipe) for recipe in seen)]
    return [*trainings, *tables, trade_job(materials, seen[0])]


def draws_job(materials: Materials, recipe: GeneratorRecipe) -> Job:
    """Draws of one generator, all its seeds. Rows wait with the work until all are there."""
    path, waiting = _draws_path(materials, recipe), materials.work / f"{recipe.file}-draws.json"

    def is_done() -> bool:
        return {row.seed for row in measured(recipe, path)} == set(recipe.seeds)

    def run() -> Iterator[str]:
        rows = measured(recipe, waiting)
        sight = sight_of(materials, recipe.network, recipe.measured)
        told = told_of(materials, [recipe.network], recipe.measured) | made_by(recipe)
        for seed in recipe.seeds[len(rows) :]:
            made = load_generator(path_of(materials, replace(recipe, seed=seed)))
            rows.append(draws(recipe.file, made, sight, seed, recipe.draws))
            yield str(rows[-1])
            write_table(Table(f"Draws of {recipe.file}", rows, told), waiting)
        write_table(Table(f"Draws of {recipe.file}", rows, told), path)

    return Job("generators", path.stem, {}, is_done, run)


def measured(recipe: GeneratorRecipe, path: Path) -> list[DrawRow]:
    """The rows at ``path``, where they are of today's settings, of as many draws, and of the file that ships."""
    if not path.is_file():
        return []
    table = read_table(path, DrawRow)
    holds = made_by(recipe).items() <= table.provenance.items()
    return [row for row in table.rows if row.draws == recipe.draws] if holds else []


def is_measured(materials: Materials, recipe: GeneratorRecipe) -> bool:
    """Whether draws of that very recipe are in the table."""
    return recipe.seed in {row.seed for row in measured(recipe, _draws_path(materials, recipe))}


def _draws_path(materials: Materials, recipe: GeneratorRecipe) -> Path:
    return materials.results / f"{recipe.file}-draws.json"


def places_job(materials: Materials, recipe: GeneratorRecipe) -> Job:
    """The polygon of one generator, and beside it walks and corners together."""
    path = materials.results / f"{recipe.file}-places.json"

    def is_done() -> bool:
        return path.is_file() and made_by(recipe).items() <= read_table(path, dict).provenance.items()

    def run() -> Iterator[str]:
        made, key = load_generator(shipped(recipe)), recipe.network
        noise = place_codes(made, torch.eye(len(made.labels)))[0, : made.noise].tolist()
        code = {"labels": list(made.labels), "noise": noise, "stress": STRESS, "p": made.ball.p}
        sight = sight_of(materials, key, recipe.measured)
        told = told_of(materials, [key], recipe.measured) | code | made_by(recipe)
        rows = []
        for row in place_rows(made, sight):
            rows.append(row)
            yield f"{row.x:5.2f} {row.y:5.2f} {row.fooled}"
        beside = [*walks(made, sight), *middles(made, sight), *any_of(made, sight)]
        write_table(Table(f"Beside {recipe.file}", beside, told), materials.results / f"{recipe.file}-beside.json")
        write_table(Table(f"Places of {recipe.file}", rows, told), path)
        yield f"{len(beside)} figures beside"

    return Job("generators", path.stem, {}, is_done, run)
