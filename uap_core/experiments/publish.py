"""The precomputed results: what the page shows as precomputed, and the figures that README quotes.

One job makes one file of assets/. A job that is done is left alone, one that was stopped goes on where it stopped, and one
whose network, set of pictures or settings have changed begins anew (a change of the code itself is not noticed).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from uap_core.assets import dreams_path
from uap_core.crafting import METHODS, method_class
from uap_core.crafting.deepfool import DeepFool
from uap_core.crafting.default import Default
from uap_core.crafting.loop import Crafter
from uap_core.experiments.ablations import CRAFTED_ON, MEASURED_ON, AblationRow, ablations, variants
from uap_core.experiments.convergence import ConvergenceRow, convergence
from uap_core.experiments.materials import Job, Materials, is_whole, provenance_of, readable, table_so_far, title_of
from uap_core.experiments.matrix import MatrixRow, fooling_matrix, kept_cells, noises
from uap_core.experiments.published_defences import defence_jobs
from uap_core.experiments.published_lipschitz import lipschitz_jobs
from uap_core.experiments.published_transfer import transfer_jobs
from uap_core.experiments.published_why import why_jobs
from uap_core.experiments.sample_curve import SampleRow, nested_sizes, sample_curve
from uap_core.experiments.shipped import DEEPFOOL, IMAGENET, L2_2000, LINF10, OTHERS, Recipe, is_made, make, recipes
from uap_core.experiments.sweep import SweepRow, epsilon_sweep
from uap_core.library import read_library
from uap_core.models.zoo import QUICK_MODEL
from uap_core.perturbation import load_perturbation, versions
from uap_core.tables import Table, mean_rate, read_table, write_table

PARTS = (
    "library",
    "sweep",
    "matrix",
    "transfer",
    "curves",
    "convergence",
    "ablations",
    "defences",
    "why",
    "lipschitz",
    "opening",
)
BUDGET = 2000
ABLATION_BUDGET = 1000
GAINS_TRIED_ON = (QUICK_MODEL, "squeezenet1_1_caffe")  # in 32 bits and twice the price: on the quick ones alone
POINTS = (16, 32, 64, 125, 250, 500, 1000, 2000)
MOST = 2048
SEEDS = 3


def jobs(materials: Materials, parts: Sequence[str], networks: Sequence[str]) -> list[Job]:
    """All jobs of ``parts`` whose networks are among ``networks``, in the order in which they should be done.

    Raises ModelError for a network that is not known.
    """
    for key in networks:
        materials.card(key)
    made: list[Job] = [_library_job(materials, recipe) for recipe in recipes() if set(recipe.networks) <= set(networks)]
    if QUICK_MODEL in networks:
        made.append(_sweep_job(materials, QUICK_MODEL))
    for family, name in (((QUICK_MODEL, *OTHERS), "embedded-matrix"), (IMAGENET, "imagenet-matrix")):
        if set(family) <= set(networks):
            made.append(_matrix_job(materials, family, name))
    made += transfer_jobs(materials, networks)
    made += defence_jobs(materials, networks)
    for key in networks:
        made += lipschitz_jobs(materials, key)
        if key in OTHERS:
            continue
        made.append(_curve_job(materials, key, "real", Default(budget=BUDGET, bf16=True)))
        made.append(_curve_job(materials, key, "deepfool", replace(DEEPFOOL, budget=BUDGET)))
        if key == QUICK_MODEL:
            made.append(_curve_job(materials, key, "dreams", Default(budget=BUDGET, bf16=True), dreams_path(key)))
        made.append(_convergence_job(materials, key))
        made.append(_ablation_job(materials, key))
        made += why_jobs(materials, key)
    return sorted((job for job in made if job.part in parts), key=lambda job: PARTS.index(job.part))


def _library_job(materials: Materials, recipe: Recipe) -> Job:
    def is_done() -> bool:
        return is_made(recipe, materials.perturbations, materials.zoo, f"{materials.source(recipe.networks[0]).stem} (craft)")

    def run() -> Iterator[str]:
        craft, held_out = materials.splits(recipe.networks[0])
        networks = [materials.network(key) for key in recipe.networks]
        materials.work.mkdir(parents=True, exist_ok=True)
        # Named after all that it depends on: the state of another recipe, network or set is not gone on with.
        told = f"{recipe} {[network.weights_hash for network in networks]} {craft.name} {len(craft)}"
        checkpoint = materials.work / f"{recipe.file}-{hashlib.sha256(told.encode()).hexdigest()[:12]}.state"
        name = recipe.name(materials.zoo.cards())
        for progress in make(recipe, name, networks, craft, held_out, materials.perturbations, checkpoint):
            if progress.fooling_rate:
                yield f"{progress.share:4.0%}  {progress.image_gradients} image-gradients, craft set {progress.fooling_rate}"

    return Job("library", recipe.file, recipe.gradients(), is_done, run)


def _sweep_job(materials: Materials, key: str) -> Job:
    pattern_file = materials.perturbations / f"{key}-linf10.safetensors"
    path = materials.results / f"{key}-sweep.json"

    def provenance() -> dict[str, Any]:
        pattern = load_perturbation(pattern_file)
        stated = {"pattern_file": pattern_file.name, "pattern": pattern.provenance, "seed": 0}
        return provenance_of(materials, [key]) | stated

    def run() -> Iterator[str]:
        network, (_, held_out) = materials.network(key), materials.splits(key)
        rows = []
        for row in epsilon_sweep(network, load_perturbation(pattern_file), held_out, torch.Generator().manual_seed(0)):
            rows.append(row)
            yield f"{row.attack}, epsilon {row.epsilon * 255:g}/255: {row.fooling_rate}"
        write_table(Table(title_of([network], held_out), rows, provenance() | versions()), path)

    return Job("sweep", path.stem, {key: 2500}, lambda: pattern_file.is_file() and is_whole(path, SweepRow, provenance()), run)


def _matrix_job(materials: Materials, keys: Sequence[str], name: str) -> Job:
    path, balls = materials.results / f"{name}.json", (LINF10, L2_2000)

    def entries() -> list[Any]:
        return [entry for entry in read_library(materials.perturbations) if set(entry.networks) <= set(keys)]

    def provenance() -> dict[str, Any]:
        patterns = {entry.key: entry.provenance.get("time") for entry in entries()}
        return provenance_of(materials, keys) | {"patterns": patterns, "seed": 0}

    def kept() -> list[MatrixRow]:
        files = {entry.name: entry.key for entry in entries()}
        return kept_cells(readable(path, MatrixRow), provenance(), files, {materials.card(key).name: key for key in keys})

    def is_done() -> bool:
        cells = (len(entries()) + len(noises(balls, (3, 1, 1), 0))) * len(keys)
        return is_whole(path, MatrixRow, provenance()) and len(kept()) == cells

    def run() -> Iterator[str]:
        networks, held_out = [materials.network(key) for key in keys], materials.held_out(keys[0])
        patterns, rows = [load_perturbation(entry.path) for entry in entries()], kept()
        order = {pattern.name: place for place, pattern in enumerate(patterns)}
        known = {(row.perturbation, row.network) for row in rows}
        for row in fooling_matrix(patterns, networks, held_out, balls, 0, known):
            rows.append(row)
            yield f"{row.perturbation} on {row.network}: {row.fooling_rate}"
            rows.sort(key=lambda row: order.get(row.perturbation, len(order)))
            write_table(Table(title_of(networks, held_out), rows, provenance() | versions()), path)
        write_table(Table(title_of(networks, held_out), rows, provenance() | versions()), path)  # also if a pattern is gone

    patterns = sum(set(recipe.networks) <= set(keys) for recipe in recipes())
    cost = dict.fromkeys(keys, patterns * 100)  # a prediction takes about a third of a gradient
    return Job("matrix", name, cost, is_done, run)


def _curve_job(materials: Materials, key: str, name: str, method: Crafter, source: Path | None = None) -> Job:
    path = materials.results / f"{key}-curve-{name}.json"

    def sizes() -> list[int]:
        available = min(MOST, len(materials.splits(key, source)[0]))
        return nested_sizes(available, 2 if key == QUICK_MODEL else 4)

    def provenance() -> dict[str, Any]:
        craft, _ = materials.splits(key, source)
        stated = {"crafted_on": craft.name, "method": repr(method), "ball": str(LINF10), "seeds": SEEDS}
        return provenance_of(materials, [key]) | stated

    def table() -> Table:
        return table_so_far(path, SampleRow, title_of([materials.network(key)], materials.splits(key)[1]), provenance())

    def is_done() -> bool:
        return len(table().rows) == SEEDS * len(sizes())

    def run() -> Iterator[str]:
        network, (craft, _), (_, held_out) = materials.network(key), materials.splits(key, source), materials.splits(key)
        so_far = table()
        there = {(row.seed, row.images) for row in so_far.rows}
        for seed in range(SEEDS):
            missing = [size for size in sizes() if (seed, size) not in there]
            for row in sample_curve(network, method, craft, held_out, LINF10, missing, seed):
                if row.done:
                    so_far.rows.append(replace(row, seconds=round(row.seconds, 1)))
                    write_table(so_far, path)
                    yield f"seed {seed}, {row.images} images: {row.held_out_rate}"

    points = len(nested_sizes(MOST)) if key == QUICK_MODEL else 6
    return Job("curves", path.stem, {key: SEEDS * points * BUDGET}, is_done, run)


def _convergence_job(materials: Materials, key: str) -> Job:
    path = materials.results / f"{key}-convergence.json"
    methods = {name: _at_equal_cost(method_class(name)) for name in METHODS if name != "transfer"}  # which aims at others

    def provenance() -> dict[str, Any]:
        craft, _ = materials.splits(key)
        stated = {"crafted_on": f"500 images of {craft.name}", "ball": str(LINF10), "seed": 0}
        return provenance_of(materials, [key]) | stated | {"methods": {name: repr(method) for name, method in methods.items()}}

    def table() -> Table:
        return table_so_far(path, ConvergenceRow, title_of([materials.network(key)], materials.splits(key)[1]), provenance())

    def missing() -> dict[str, Crafter]:
        there = {row.method for row in table().rows}
        return {name: method for name, method in methods.items() if name not in there}

    def run() -> Iterator[str]:
        network, (craft, held_out), so_far = materials.network(key), materials.splits(key), table()
        part = craft.shuffled(torch.Generator().manual_seed(0)).prefix(500)
        for name, method in missing().items():
            rows = list(convergence(network, {name: method}, part, held_out, LINF10, 0, POINTS))
            so_far.rows.extend(rows)
            write_table(so_far, path)
            yield f"{name}: {rows[-1].held_out_rate} after {rows[-1].image_gradients} image-gradients"

    return Job("convergence", path.stem, {key: len(methods) * 2 * BUDGET}, lambda: not missing(), run)


def _ablation_job(materials: Materials, key: str) -> Job:
    path = materials.results / f"{key}-ablations.json"
    methods = variants(ABLATION_BUDGET, gains=key in GAINS_TRIED_ON)

    def provenance() -> dict[str, Any]:
        craft, _ = materials.splits(key)
        stated = {"crafted_on": f"{CRAFTED_ON} images of {craft.name}", "ball": str(LINF10), "seeds": SEEDS}
        measured_on = {"held_out": f"{min(MEASURED_ON, len(craft) - CRAFTED_ON)} others of {craft.name}"}
        listed = {"methods": {name: repr(method) for name, method in methods.items()}}
        return provenance_of(materials, [key]) | stated | measured_on | listed

    def table() -> Table:
        title = f"{materials.card(key).name}: what each part is worth at {ABLATION_BUDGET} image-gradients"
        return table_so_far(path, AblationRow, title, provenance())

    def missing() -> list[tuple[int, str]]:
        there = {(row.seed, row.variant) for row in table().rows}
        return [(seed, name) for seed in range(SEEDS) for name in methods if (seed, name) not in there]

    def run() -> Iterator[str]:
        network, (craft, _), so_far = materials.network(key), materials.splits(key), table()
        for seed, name in missing():
            for row in ablations(network, {name: methods[name]}, craft, LINF10, seed):
                so_far.rows.append(row)
                write_table(so_far, path)
                yield f"seed {seed}, {name}: {row.rate}"

    return Job("ablations", path.stem, {key: SEEDS * len(methods) * ABLATION_BUDGET}, lambda: not missing(), run)


def _at_equal_cost(method: type[Crafter]) -> Crafter:
    """As its paper has it, but for the budget, which is the same for all, and DeepFool's batches."""
    return replace(DEEPFOOL, budget=BUDGET) if method is DeepFool else method(budget=BUDGET)


def state_on_dream_card(network: str, folder: Path, card: Path) -> None:
    """Write on the dreams' card what a pattern crafted on all of them does to real images, beside one from as many real ones.

    Both figures are means over the seeds of the published curves; nothing happens until both curves are there.
    """
    tables = {name: folder / f"{network}-curve-{name}.json" for name in ("dreams", "real")}
    if not all(path.is_file() for path in (*tables.values(), card)):
        return
    curves = {name: read_table(path, SampleRow) for name, path in tables.items()}
    count = max(row.images for row in curves["dreams"].rows)
    rates = {
        name: [row.held_out_rate for row in table.rows if row.images == count and row.held_out_rate]
        for name, table in curves.items()
    }
    if any(len(found) < SEEDS for found in rates.values()):
        return
    means = {name: round(mean_rate(found), 4) for name, found in rates.items()}
    stated = json.loads(card.read_text(encoding="utf-8"))
    stated["measured"] = {
        "set": curves["real"].provenance["held_out"],
        "images": count,
        "crafted_on_dreams": means["dreams"],
        "crafted_on_photographs": means["real"],
        "share": round(means["dreams"] / means["real"], 3),
        "seeds": SEEDS,
    }
    card.write_text(json.dumps(stated, indent=1) + "\n", encoding="utf-8")
