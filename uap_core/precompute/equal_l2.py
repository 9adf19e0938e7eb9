"""The precomputed tables of patterns on unseen networks at equal l2 norm: one for all networks of a size, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from uap_core.experiments.equal_l2 import EqualNormRow, at_equal_norm, unseen
from uap_core.experiments.networks import MATRICES
from uap_core.experiments.origins import RANDOM_SIGNS
from uap_core.experiments.so_far import agrees, readable, title_of
from uap_core.io.results import Table, write_table
from uap_core.norms import Ball, to_levels
from uap_core.perturbations.library import Entry, read_library
from uap_core.perturbations.perturbation import load_perturbation, versions
from uap_core.precompute.materials import Job, Materials, provenance_of
from uap_core.precompute.recipes import L2_2000, LINF10

SMALL_SIDE, SMALLER = 128, 0.3  # of small pictures, whose patterns have fewer values: this share of the radius


def equal_l2_jobs(materials: Materials, networks: Sequence[str]) -> list[Job]:
    """A table for each size all of whose networks are among ``networks``."""
    whole = {name: keys for name, keys in MATRICES.items() if set(keys) <= set(networks)}
    return [equal_l2_job(materials, keys, f"{name}-equal-l2") for name, keys in whole.items()]


def equal_l2_job(materials: Materials, keys: Sequence[str], name: str) -> Job:
    """The untargeted l_inf patterns of a family, each on the networks that it never met."""
    path = materials.results / f"{name}.json"
    radius = L2_2000.radius * (SMALLER if materials.card(keys[0]).input_size < SMALL_SIDE else 1)

    def entries() -> list[Entry]:
        library = [entry for entry in read_library(materials.perturbations) if set(entry.networks) <= set(keys)]
        return [entry for entry in library if entry.ball == LINF10 and not entry.target]

    def provenance() -> dict[str, Any]:
        patterns = {entry.key: entry.provenance.get("time") for entry in entries()}
        return provenance_of(materials, keys) | {"patterns": patterns, "ball": str(LINF10), "l2": str(Ball("l2", radius))}

    def so_far() -> Table:
        """The table, begun anew when weights or photographs are others; of patterns that are others the rows go."""
        found, stated = readable(path, EqualNormRow), provenance()
        if found is not None:
            before = found.provenance.get("patterns", {})
            if agrees(found.provenance | {"patterns": stated["patterns"]}, stated, materials.cards()):
                changed = {key for key in {*before, *stated["patterns"]} if before.get(key) != stated["patterns"].get(key)}
                rows = [row for row in found.rows if row.perturbation not in changed]
                return Table(found.title, rows, found.provenance | {"patterns": stated["patterns"]})
        title = title_of([materials.card(key) for key in keys], len(materials.held_out(keys[0])))
        return Table(title, [], stated | versions())

    def is_done() -> bool:
        found = readable(path, EqualNormRow)
        if found is None or not agrees(found.provenance, provenance(), materials.cards()):
            return False
        wanted = {(entry.key, key) for entry in entries() for key in keys if unseen(entry.networks, key)}
        return {(row.perturbation, row.network) for row in found.rows} == wanted | {(RANDOM_SIGNS, key) for key in keys}

    def run() -> Iterator[str]:
        table, patterns = so_far(), {entry.key: load_perturbation(entry.path) for entry in entries()}
        for key in keys:
            known = [row.perturbation for row in table.rows if row.network == key]
            for row in at_equal_norm(patterns, materials.network(key), materials.held_out(key), LINF10, radius, known):
                table.rows.append(row)
                yield f"{row.perturbation} on {key}: {row.fooling_rate}, at l2 {to_levels(radius):.0f}/255 {row.scaled_rate}"
            write_table(table, path)

    cost = dict.fromkeys(keys, len(entries()) * 200)  # two predictions of 300 photographs each
    return Job("matrix", name, cost, is_done, run)
