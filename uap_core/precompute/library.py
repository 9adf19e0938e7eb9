"""The published patterns of the library, what the first does at every strength, and whom all of them fool."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import torch

from uap_core.experiments.epsilon_sweep import NAMES, SweepRow, epsilon_sweep
from uap_core.experiments.networks import MATRICES, SWEPT
from uap_core.experiments.origins import MatrixRow, origin_name
from uap_core.experiments.so_far import is_whole, readable, title_of
from uap_core.experiments.transfer_matrix import fooling_matrix, kept_cells, noises
from uap_core.identity import identity, settings
from uap_core.io.results import Table, write_table
from uap_core.models.names import network_names
from uap_core.norms import in_levels
from uap_core.perturbations.library import Entry, read_library
from uap_core.perturbations.perturbation import load_perturbation, versions
from uap_core.precompute.materials import Job, Materials, provenance_of
from uap_core.precompute.recipes import L2_2000, LINF10, Recipe, is_made, make, recipes


def library_jobs(materials: Materials, networks: Sequence[str]) -> list[Job]:
    """The recipes whose networks are all among ``networks`` (keys); sweeps; the matrices of whole families."""
    jobs = [library_job(materials, recipe) for recipe in recipes() if set(recipe.networks) <= set(networks)]
    jobs += [sweep_job(materials, key) for key in SWEPT if key in networks]
    whole = {name: keys for name, keys in MATRICES.items() if set(keys) <= set(networks)}
    return jobs + [matrix_job(materials, keys, f"{name}-matrix") for name, keys in whole.items()]


def library_job(materials: Materials, recipe: Recipe) -> Job:
    """One pattern."""

    def is_done() -> bool:
        return is_made(recipe, materials.perturbations, materials.zoo, f"{materials.source(recipe.networks[0]).stem} (craft)")

    def run() -> Iterator[str]:
        craft, held_out = materials.splits(recipe.networks[0])
        networks = [materials.network(key) for key in recipe.networks]
        materials.work.mkdir(parents=True, exist_ok=True)
        # Named after all that it depends on, so that the state of another recipe, network or set is not continued.
        told = [settings(recipe), [network.weights_hash for network in networks], craft.name, len(craft)]
        digest = hashlib.sha256(json.dumps(told, default=identity, sort_keys=True).encode()).hexdigest()
        checkpoint = materials.work / f"{recipe.file}-{digest[:12]}.state"
        name = recipe.name(materials.cards())
        for progress in make(recipe, name, networks, craft, held_out, materials.perturbations, checkpoint):
            if progress.fooling_rate:
                yield f"{progress.share:4.0%}  {progress.image_gradients} image-gradients, craft set {progress.fooling_rate}"

    return Job("library", recipe.file, recipe.gradients(), is_done, run)


def sweep_job(materials: Materials, key: str) -> Job:
    """The l_inf pattern of a network at every strength."""
    pattern_file = materials.perturbations / f"{key}-linf10.safetensors"
    path = materials.results / f"{key}-sweep.json"

    def provenance() -> dict[str, Any]:
        pattern = load_perturbation(pattern_file)
        stated = {"pattern_file": pattern_file.name, "pattern": pattern.provenance, "seed": 0}
        return provenance_of(materials, [key]) | stated

    def is_done() -> bool:
        return pattern_file.is_file() and is_whole(path, SweepRow, provenance(), materials.cards())

    def run() -> Iterator[str]:
        network, (_, held_out) = materials.network(key), materials.splits(key)
        rows = []
        for row in epsilon_sweep(network, load_perturbation(pattern_file), held_out, torch.Generator().manual_seed(0)):
            rows.append(row)
            yield f"{NAMES[row.attack]}, epsilon {in_levels(row.epsilon)}: {row.fooling_rate}"
        write_table(Table(title_of([network.card], len(held_out)), rows, provenance() | versions()), path)

    return Job("sweep", path.stem, {key: 2500}, is_done, run)


def matrix_job(materials: Materials, keys: Sequence[str], name: str) -> Job:
    """Every pattern of a family on every network of it, and noise; cells that hold are kept."""
    path, balls = materials.results / f"{name}.json", (LINF10, L2_2000)

    def entries() -> list[Entry]:
        return [entry for entry in read_library(materials.perturbations) if set(entry.networks) <= set(keys)]

    def provenance() -> dict[str, Any]:
        patterns = {entry.key: entry.provenance.get("time") for entry in entries()}
        return provenance_of(materials, keys) | {"patterns": patterns, "seed": 0}

    def kept() -> list[MatrixRow]:
        return kept_cells(readable(path, MatrixRow), provenance(), materials.cards())

    def is_done() -> bool:
        cells = (len(entries()) + len(noises(balls, (3, 1, 1), 0))) * len(keys)
        return is_whole(path, MatrixRow, provenance(), materials.cards()) and len(kept()) == cells

    def run() -> Iterator[str]:
        networks, held_out = [materials.network(key) for key in keys], [materials.held_out(key) for key in keys]
        patterns, rows = {entry.key: load_perturbation(entry.path) for entry in entries()}, kept()
        names = network_names(materials.cards()) | {key: pattern.name for key, pattern in patterns.items()}
        order, title = list(patterns), title_of([network.card for network in networks], len(held_out[0]))
        known = {(row.origin, row.network) for row in rows}
        cells = (
            fooling_matrix(patterns, [network], images, balls, 0, known)  # each sees the photographs as it takes them
            for network, images in zip(networks, held_out, strict=True)
        )
        for row in chain.from_iterable(cells):
            rows.append(row)
            yield f"{origin_name(row.origin, names)} on {names[row.network]}: {row.fooling_rate}"
            rows.sort(key=lambda row: order.index(row.perturbation) if row.perturbation in order else len(order))
            write_table(Table(title, rows, provenance() | versions()), path)
        write_table(Table(title, rows, provenance() | versions()), path)  # also if a pattern is gone

    patterns = sum(set(recipe.networks) <= set(keys) for recipe in recipes())
    cost = dict.fromkeys(keys, patterns * 100)  # a prediction takes about a third of a gradient
    return Job("matrix", name, cost, is_done, run)
