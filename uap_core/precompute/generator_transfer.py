"""The transfer matrix, as NAG reports it: draws of every generator on every network of its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

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
# With both of ResNet-64's robust twins. The universally trained one learnt against one pattern.
COLUMNS = {QUICK_MODEL: (*EMBEDDED, twin_key(QUICK_MODEL, UNIVERSAL)), LITES[0]: MATRICES["imagenet"]}


def transfer_jobs(materials: Materials, recipes: Sequence[GeneratorRecipe]) -> list[Job]:
    """A matrix for each size of picture that there are generators for."""
    networks = dict.fromkeys(recipe.network for recipe in recipes)
    return [transfer_job(materials, key, [recipe for recipe in recipes if recipe.network == key]) for key in networks]


def transfer_job(materials: Materials, key: str, recipes: Sequence[GeneratorRecipe]) -> Job:
    """All seeds of ``recipes`` on all networks of their size. Columns wait with the work until all are there."""
    name = f"{key}-generators-transfer"
    path, waiting, columns = materials.results / f"{name}.json", materials.work / f"{name}.json", COLUMNS[key]
    stated = {"generators": [made_by(recipe)["generator"] for recipe in recipes], "draws": DRAWS}

    def is_done() -> bool:
        return path.is_file() and stated.items() <= read_table(path, TransferRow).provenance.items()

    def run() -> Iterator[str]:
        told = told_of(materials, columns) | stated
        kept = read_table(waiting, TransferRow) if waiting.is_file() else None
        rows = kept.rows if kept and stated.items() <= kept.provenance.items() else []
        for column in columns:
            if column in {row.network for row in rows}:
                continue
            sight = sight_of(materials, column)
            for recipe in recipes:
                for seed in recipe.seeds:
                    made = load_generator(path_of(materials, replace(recipe, seed=seed)))
                    rows.append(transfer_row(recipe.file, made, sight, seed, DRAWS))
            yield "\n".join(str(row) for row in rows if row.network == column)
            write_table(Table(f"Draws of {key}'s generators on other networks", rows, told), waiting)
        write_table(Table(f"Draws of {key}'s generators on other networks", rows, told), path)

    return Job("generators", name, {}, is_done, run)
