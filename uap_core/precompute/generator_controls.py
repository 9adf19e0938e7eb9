"""What a generator is held against: patterns crafted one by one, from its own pictures, with other seeds or for its labels."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.default import Default
from uap_core.experiments.generator_draws import blends, pattern_row
from uap_core.experiments.generator_rows import BesideRow, DrawRow
from uap_core.identity import identity
from uap_core.io.atomic import write_whole
from uap_core.io.results import Table, read_table, write_table
from uap_core.precompute.generator_sights import sight_of, told_of
from uap_core.precompute.generators import GeneratorRecipe, images_of
from uap_core.precompute.materials import Job, Materials

CONTROLS = ("seeds", "targets")
SEEDS = 10
CRAFTER = Default(budget=2000, bf16=True)  # each, as the page crafts


def controls_job(materials: Materials, recipe: GeneratorRecipe) -> Job:
    """Crafted patterns measured as if they were draws, and what half and half of two of them does."""
    path, budget = materials.results / f"{recipe.file}-crafted.json", CRAFTER.budget * (SEEDS + len(recipe.labels))
    stated = {"crafter": identity(CRAFTER), "labels": list(recipe.labels)}

    def is_done() -> bool:
        return path.is_file() and stated.items() <= read_table(path, DrawRow).provenance.items()

    def run() -> Iterator[str]:
        sight = sight_of(materials, recipe.network, recipe.measured)
        told = told_of(materials, [recipe.network], recipe.measured) | stated
        rows, mixed = list[DrawRow](), list[BesideRow]()
        for control in CONTROLS:
            patterns = crafted(materials, recipe, control)
            labels = recipe.labels if control == "targets" else ()
            rows.append(pattern_row(f"{recipe.file}-{control}", torch.stack(list(patterns.values())), sight, 0, labels))
            yield str(rows[-1])
            mixed += blends(f"blend of {control}", patterns, recipe.ball, sight)
        write_table(Table(f"Blends beside {recipe.file}", mixed, told), materials.results / f"{recipe.file}-blends.json")
        write_table(Table(f"Crafted beside {recipe.file}", rows, told), path)

    return Job("generators", path.stem, {recipe.network: budget}, is_done, run)


def crafted(materials: Materials, recipe: GeneratorRecipe, control: str) -> dict[str, Tensor]:
    """Patterns (3,H,W) by name: of ten ``seeds``, or for each label of the ``recipe`` as a target. Kept with the work."""
    from safetensors.torch import load_file, save

    found, names = dict[str, Tensor](), recipe.labels if control == "targets" else tuple(map(str, range(SEEDS)))
    materials.work.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        path = materials.work / f"{recipe.file}-{control}-{number}.safetensors"
        if not path.is_file():
            write_whole(path, save({"pattern": _craft(materials, recipe, name if control == "targets" else "", number)}))
        found[name] = load_file(path)["pattern"]
    return found


def _craft(materials: Materials, recipe: GeneratorRecipe, target: str, seed: int) -> Tensor:
    network = materials.network(recipe.network)
    images = images_of(materials, recipe).shuffled(torch.Generator().manual_seed(recipe.seed)).prefix(recipe.images).pixels
    criterion = Criterion.into(network.index_of(target)) if target else None
    *_, last = CRAFTER.craft([network], images, recipe.ball, torch.Generator().manual_seed(seed), criterion=criterion)
    return last.perturbation
