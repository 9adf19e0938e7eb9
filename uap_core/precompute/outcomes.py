"""Precomputed outcomes, photograph by photograph: the dots under the page's first view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from uap_core.experiments.networks import EMBEDDED, SEVEN
from uap_core.experiments.outcomes import OutcomeRow, outcomes, shown_images
from uap_core.experiments.so_far import is_whole, title_of
from uap_core.io.results import Table, write_table
from uap_core.norms import in_levels
from uap_core.perturbations.perturbation import load_perturbation, versions
from uap_core.precompute.materials import Job, Materials, provenance_of


def outcome_jobs(materials: Materials, networks: Sequence[str]) -> list[Job]:
    """One for each of ``networks`` that has a pattern of its own: the one that the page shows of it first."""
    return [outcome_job(materials, key, f"{key}-linf10") for key in (*SEVEN, *EMBEDDED) if key in networks]


def outcome_job(materials: Materials, key: str, stem: str) -> Job:
    """What the pattern ``stem`` does to each of some 300 photographs, at each strength of the slider."""
    pattern_file, path = materials.perturbations / f"{stem}.safetensors", materials.results / f"{stem}-outcomes.json"

    def provenance() -> dict[str, Any]:
        pattern = load_perturbation(pattern_file)
        stated = {"pattern_file": pattern_file.name, "pattern": pattern.provenance, "seed": 0}
        return provenance_of(materials, [key]) | stated | {"images": len(shown_images(materials.held_out(key)))}

    def is_done() -> bool:
        return pattern_file.is_file() and is_whole(path, OutcomeRow, provenance(), materials.cards())

    def run() -> Iterator[str]:
        network, images, pattern = (
            materials.network(key),
            shown_images(materials.held_out(key)),
            load_perturbation(pattern_file),
        )
        rows = []
        for row in outcomes(network, pattern, images, torch.Generator().manual_seed(0)):
            rows.append(row)
            yield f"{row.attack}, epsilon {in_levels(row.epsilon)}"
        write_table(Table(title_of([network.card], len(images)), rows, provenance() | versions()), path)

    return Job("outcomes", path.stem, {key: 6500}, is_done, run)
