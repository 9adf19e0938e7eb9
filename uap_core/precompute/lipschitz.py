"""The precomputed Lipschitz bounds: one table of layers and one of pictures for each network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from uap_core.experiments.certified_radius import IMAGES, LayerRow, RadiusRow, conclusion, layer_rows, radii
from uap_core.experiments.so_far import is_whole
from uap_core.io.results import Table, read_table, write_table
from uap_core.perturbations.perturbation import versions
from uap_core.precompute.materials import Job, Materials

GRADIENTS = 40  # that DeepFool takes for an image, about: four steps, each towards nine classes


def lipschitz_jobs(materials: Materials, key: str) -> list[Job]:
    """Bounds of the layers of a network; then what they certify on held-out pictures."""
    return [_layers_job(materials, key), _radii_job(materials, key)]


def _layers_job(materials: Materials, key: str) -> Job:
    path = materials.results / f"{key}-lipschitz.json"

    def run() -> Iterator[str]:
        rows: list[LayerRow] = []
        for row in layer_rows(materials.network(key), torch.Generator().manual_seed(0)):
            rows.append(row)
            yield f"{row.label}: up to here {row.running:.3g}"
        write_table(Table(f"{materials.card(key).name}: layers", rows, _provenance(materials, key) | versions()), path)

    return Job(
        "lipschitz", path.stem, {}, lambda: is_whole(path, LayerRow, _provenance(materials, key), materials.cards()), run
    )


def _radii_job(materials: Materials, key: str) -> Job:
    path, layers = materials.results / f"{key}-certified.json", materials.results / f"{key}-lipschitz.json"

    def bound() -> float:
        return float(read_table(layers, LayerRow).rows[-1].running)

    def provenance() -> dict[str, Any]:
        images = f"{IMAGES} images of {materials.source(key).stem} (held-out)"
        return _provenance(materials, key) | {"held_out": images, "bound": bound()}

    def run() -> Iterator[str]:
        images = materials.held_out(key).shuffled(torch.Generator().manual_seed(0)).prefix(IMAGES)
        rows: list[RadiusRow] = []
        for row in radii(materials.network(key), images, bound()):
            rows.append(row)
            yield f"{row.image}: certified {row.certified:.2g}, found {row.found or float('inf'):.2g}"
        write_table(Table(f"{materials.card(key).name}: {conclusion(bound(), rows)}", rows, provenance() | versions()), path)

    def is_done() -> bool:
        cards = materials.cards()
        bounded = is_whole(layers, LayerRow, _provenance(materials, key), cards)
        return bounded and is_whole(path, RadiusRow, provenance(), cards)

    return Job("lipschitz", path.stem, {key: IMAGES * GRADIENTS}, is_done, run)


def _provenance(materials: Materials, key: str) -> dict[str, Any]:
    return {"network": key, "weights_sha256": materials.card(key).sha256, "seed": 0}
