"""Precomputed tables of methods: convergence of each, and ablations of ours.

Each method is a separate part of its table: adding or changing one leaves the others valid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from uap_core.crafting.base import Crafter
from uap_core.crafting.deepfool_uap import DeepFoolUAP
from uap_core.crafting.menu import MENU, for_pictures, method_class
from uap_core.experiments.ablations import CRAFTED_ON, MEASURED_ON, AblationRow, ablations, variant_name, variants
from uap_core.experiments.convergence import ConvergenceRow, convergence
from uap_core.experiments.networks import GAINS_TRIED_ON
from uap_core.experiments.so_far import Parts, title_of
from uap_core.identity import identities
from uap_core.io.results import Table
from uap_core.precompute.materials import Job, Materials, provenance_of
from uap_core.precompute.recipes import DEEPFOOL, LINF10

BUDGET = 2000
ABLATION_BUDGET = 1000
POINTS = (16, 32, 64, 125, 250, 500, 1000, 2000)
SEEDS = 3


def method_jobs(materials: Materials, key: str) -> list[Job]:
    """The two tables of a network."""
    return [convergence_job(materials, key), ablation_job(materials, key)]


def convergence_job(materials: Materials, key: str) -> Job:
    """Every method at the same cost."""
    path = materials.results / f"{key}-convergence.json"
    # One aims at other networks, one teaches a network, which takes its own time; those without images, or for few, have
    # tables of their own.
    kept = [name for name, item in MENU.items() if item.needs_images and name not in ("transfer", "generator", "few_pictures")]
    methods = {name: _at_equal_cost(name, materials.card(key).input_size) for name in kept}
    parts = Parts(path, ConvergenceRow, "methods", identities(methods), lambda row: row.method)

    def table() -> Table:
        craft, held_out = materials.splits(key)
        stated = {"crafted_on": f"500 images of {craft.name}", "ball": str(LINF10), "seed": 0}
        title = title_of([materials.card(key)], len(held_out))
        return parts.table(title, provenance_of(materials, [key]) | stated, materials.cards())

    def missing() -> list[str]:
        there = {row.method for row in table().rows}
        return [name for name in methods if name not in there]

    def run() -> Iterator[str]:
        network, (craft, held_out), so_far = materials.network(key), materials.splits(key), table()
        part = craft.shuffled(torch.Generator().manual_seed(0)).prefix(500)
        for name in missing():
            rows = list(convergence(network, {name: methods[name]}, part, held_out, LINF10, 0, POINTS))
            parts.add(so_far, *rows)
            yield f"{name}: {rows[-1].held_out_rate} after {rows[-1].image_gradients} image-gradients"

    return Job("convergence", path.stem, {key: len(methods) * 2 * BUDGET}, lambda: not missing(), run)


def ablation_job(materials: Materials, key: str) -> Job:
    """Ours with one part changed, and the paper's method."""
    path = materials.results / f"{key}-ablations.json"
    methods = variants(ABLATION_BUDGET, gains=key in GAINS_TRIED_ON)
    parts = Parts(path, AblationRow, "methods", identities(methods), lambda row: row.variant)

    def table() -> Table:
        craft, _ = materials.splits(key)
        stated = {"crafted_on": f"{CRAFTED_ON} images of {craft.name}", "ball": str(LINF10), "seeds": SEEDS}
        stated["held_out"] = f"{min(MEASURED_ON, len(craft) - CRAFTED_ON)} others of {craft.name}"
        title = f"{materials.card(key).name}: what each part is worth at {ABLATION_BUDGET} image-gradients"
        return parts.table(title, provenance_of(materials, [key]) | stated, materials.cards())

    def missing() -> list[tuple[int, str]]:
        there = {(row.seed, row.variant) for row in table().rows}
        return [(seed, name) for seed in range(SEEDS) for name in methods if (seed, name) not in there]

    def run() -> Iterator[str]:
        network, (craft, _), so_far = materials.network(key), materials.splits(key), table()
        for seed, name in missing():
            for row in ablations(network, {name: methods[name]}, craft, LINF10, seed):
                parts.add(so_far, row)
                yield f"seed {seed}, {variant_name(name)}: {row.rate}"

    return Job("ablations", path.stem, {key: SEEDS * len(methods) * ABLATION_BUDGET}, lambda: not missing(), run)


def _at_equal_cost(key: str, side: int) -> Crafter:
    """As its paper has it, ours as Craft has it for pictures of ``side`` pixels; but for the budget, which is the same for all,
    and DeepFool's batches."""
    if key == DeepFoolUAP.key:
        return replace(DEEPFOOL, budget=BUDGET)
    return method_class(key)(budget=BUDGET, **for_pictures(key, (side, side)))
