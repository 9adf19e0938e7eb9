"""What each ready-made pattern of a network does to photographs, beyond the fooling rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from uap_core.experiments.evaluation_rows import EvaluationRow, row_of
from uap_core.experiments.so_far import is_whole, title_of
from uap_core.io.results import Table, write_table
from uap_core.perturbations.library import Entry, read_library
from uap_core.perturbations.perturbation import load_perturbation, versions
from uap_core.precompute.materials import Job, Materials, provenance_of


def evaluation_job(materials: Materials, key: str) -> Job:
    """The patterns that were crafted on this network alone, on all held-out photographs."""
    path = materials.results / f"{key}-evaluations.json"

    def entries() -> list[Entry]:
        return [entry for entry in read_library(materials.perturbations) if entry.networks == (key,)]

    def provenance() -> dict[str, Any]:
        patterns = {entry.key: entry.provenance.get("time") for entry in entries()}
        return provenance_of(materials, [key]) | {"patterns": patterns, "seed": 0}

    def is_done() -> bool:
        return is_whole(path, EvaluationRow, provenance(), materials.cards())

    def run() -> Iterator[str]:
        network, held_out = materials.network(key), materials.held_out(key)
        rows = []
        for entry in entries():
            row = row_of(network, load_perturbation(entry.path), entry.key, held_out, torch.Generator().manual_seed(0))
            rows.append(row)
            yield f"{entry.key}: {row.fooling_rate}"
        write_table(Table(title_of([network.card], len(held_out)), rows, provenance() | versions()), path)

    return Job("evaluations", path.stem, {key: 1000}, is_done, run)
