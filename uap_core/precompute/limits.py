"""The limit of the default method: long runs on one network, and which photographs no pattern of it fools.

The patterns of long runs do not ship: they are kept in the folder of unfinished work, and the tables state how they were made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from uap_core.crafting.default import Default
from uap_core.crafting.menu import LARGE_SIDE, TILES
from uap_core.experiments.limit import LimitRow, NeverRow, TraitRow, fallen, never_row, trait_rows, traits
from uap_core.experiments.so_far import is_whole, title_of
from uap_core.identity import identity
from uap_core.io.results import Table, write_table
from uap_core.metrics import Rate
from uap_core.perturbations.library import Entry, read_library
from uap_core.perturbations.perturbation import Perturbation, load_perturbation, versions
from uap_core.precompute.materials import Job, Materials, provenance_of
from uap_core.precompute.recipes import LINF10, Recipe, is_made, make

BUDGETS = (2_000, 10_000, 100_000)
ALL = {64: 10_000, 224: 500}  # pictures to craft on: of 50 000 as many as are measured in minutes, and all of the large ones


def limit_recipes(materials: Materials, key: str) -> list[Recipe]:
    """The runs of one network, the shortest first, by this project's method in batches of eight."""
    side = materials.card(key).input_size
    tiles = TILES if side >= LARGE_SIDE else 1
    methods = [Default(budget=budget, tiles=tiles, bf16=True) for budget in BUDGETS]
    return [Recipe(f"{key}-limit-{method.budget}", (key,), LINF10, method, ALL.get(side, 500)) for method in methods]


def limit_jobs(materials: Materials, key: str) -> list[Job]:
    """The runs one by one, then who never falls."""
    recipes = limit_recipes(materials, key)
    return [_run_job(materials, key, recipe) for recipe in recipes] + _never_jobs(materials, key, recipes)


def _file(materials: Materials, recipe: Recipe) -> Path:
    return materials.work / "limit" / f"{recipe.file}.safetensors"


def _crafted(materials: Materials, recipe: Recipe) -> Iterator[str]:
    """Do the run, unless it was done here; a stopped one continues."""
    (key,), path = recipe.networks, _file(materials, recipe)
    if is_made(recipe, path.parent, materials.zoo, f"{materials.source(key).stem} (craft)"):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    craft, held_out = materials.splits(key)
    checkpoint, network = materials.work / f"{recipe.file}.state", materials.network(key)
    for progress in make(recipe, recipe.file, [network], craft, held_out, path.parent, checkpoint):
        if progress.fooling_rate:
            yield f"{progress.image_gradients} image-gradients, craft set {progress.fooling_rate}"


def _run_job(materials: Materials, key: str, recipe: Recipe) -> Job:
    path = materials.results / f"{recipe.file}.json"

    def provenance() -> dict[str, Any]:
        return provenance_of(materials, [key]) | identity(recipe.method) | {"images": recipe.images, "seed": recipe.seed}

    def run() -> Iterator[str]:
        yield from _crafted(materials, recipe)
        row = _limit_row(key, load_perturbation(_file(materials, recipe)))
        title = title_of([materials.card(key)], row.fooling_rate.total)
        write_table(Table(title, [row], provenance() | versions()), path)
        yield str(row.fooling_rate)

    def is_done() -> bool:
        return is_whole(path, LimitRow, provenance(), materials.cards())

    return Job("limits", recipe.file, recipe.gradients(), is_done, run)


def _limit_row(key: str, pattern: Perturbation) -> LimitRow:
    stated = pattern.provenance
    measured, total = stated["held_out"], int(stated["held_out"]["set"].split()[0])
    images = int(stated["craft_set"].split()[0])
    rate = Rate(round(measured["fooling_rate"] * total), total)
    return LimitRow(key, stated["image_gradients"], images, rate, measured["random_signs"])


class _Fallen:
    """Who falls to the network's own patterns of the first strength and to the long runs, found once."""

    def __init__(self, materials: Materials, key: str, recipes: list[Recipe]) -> None:
        self.materials, self.key, self.recipes = materials, key, recipes

    def shipped(self) -> list[Entry]:
        """The network's own patterns of the strength that the long runs have, whatever their method or goal."""
        own = [entry for entry in read_library(self.materials.perturbations) if entry.networks == (self.key,)]
        return [entry for entry in own if entry.ball == LINF10]

    def runs(self) -> list[Recipe]:
        """The runs that have a table: one more makes this one out of date."""
        return [recipe for recipe in self.recipes if (self.materials.results / f"{recipe.file}.json").is_file()]

    def names(self) -> list[str]:
        """What is tried."""
        return [entry.key for entry in self.shipped()] + [recipe.file for recipe in self.runs()]

    @cached_property
    def patterns(self) -> list[Tensor]:
        """In the order of ``names``; a run that was not done on this machine is done."""
        for recipe in self.runs():
            deque(_crafted(self.materials, recipe), maxlen=0)
        files = [entry.path for entry in self.shipped()] + [_file(self.materials, recipe) for recipe in self.runs()]
        return [load_perturbation(path).pattern for path in files]

    @cached_property
    def found(self) -> tuple[dict[str, Tensor], Tensor]:
        """Traits of the held-out photographs, and whether each falls."""
        network, images = self.materials.network(self.key), self.materials.held_out(self.key)
        found = traits(network, images.pixels, images.truth(network.class_ids))
        return found, fallen(network, images.pixels, self.patterns, found["label"])

    def never(self) -> list[NeverRow]:
        """How many never fall, and which labels they have."""
        found, falls = self.found
        return [never_row(self.key, self.names(), found["label"], falls, self.materials.network(self.key).labels)]

    def traits(self) -> list[TraitRow]:
        """What tells them from those that fall."""
        return trait_rows(self.key, *self.found)


def _never_jobs(materials: Materials, key: str, recipes: list[Recipe]) -> list[Job]:
    shared, path = _Fallen(materials, key, recipes), materials.results / f"{key}-limit-never.json"

    def provenance() -> dict[str, Any]:
        return provenance_of(materials, [key]) | {"patterns": shared.names()}

    def job(path: Path, row_type: type, rows: Callable[[], list[Any]]) -> Job:
        def run() -> Iterator[str]:
            stated = provenance() | versions()
            found = rows()
            write_table(Table(title_of([materials.card(key)], len(materials.held_out(key))), found, stated), path)
            yield f"{len(found)} rows"

        return Job("limits", path.stem, {key: 3000}, lambda: is_whole(path, row_type, provenance(), materials.cards()), run)

    return [job(path, NeverRow, shared.never), job(path.with_stem(f"{key}-limit-traits"), TraitRow, shared.traits)]
