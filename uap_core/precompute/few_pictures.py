"""The precomputed tables of patterns from few pictures: one a network, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.few_pictures import BUDGET, FEW, METHODS, OURS, SIZES, WITHOUT, FewRow, crafter, few_pictures
from uap_core.experiments.so_far import Parts, title_of
from uap_core.identity import identities
from uap_core.io.results import Table
from uap_core.metrics import predict
from uap_core.precompute.materials import Job, Materials, provenance_of
from uap_core.precompute.recipes import LINF10

MEASURED_ON = 300
SEEDS = 3
TAKEN_APART = (1, 16)  # numbers of pictures at which each part is taken out, under one seed


def cells() -> list[tuple[str, int, int]]:
    """What a table holds: (method, pictures, seed)."""
    whole = [(method, size, seed) for method in (FEW, OURS) for size in SIZES for seed in range(SEEDS)]
    return whole + [(method, size, 0) for method in WITHOUT for size in TAKEN_APART]


def few_job(materials: Materials, key: str) -> Job:
    """The table of one network."""
    path = materials.results / f"{key}-few-pictures.json"
    side = materials.card(key).input_size
    methods = identities({method: crafter(method, max(SIZES), side) for method in METHODS})
    parts = Parts(path, FewRow, "methods", methods, lambda row: row.method)

    def measured() -> ImageSet:
        return materials.held_out(key).shuffled(torch.Generator().manual_seed(0)).prefix(MEASURED_ON)

    def table() -> Table:
        held_out = measured()
        stated: dict[str, Any] = {"held_out": f"{len(held_out)} images of {held_out.name}", "ball": str(LINF10)}
        title = title_of([materials.card(key)], len(held_out))
        return parts.table(title, provenance_of(materials, [key]) | stated, materials.cards())

    def missing() -> list[tuple[str, int, int]]:
        there = {(row.method, row.images, row.seed) for row in table().rows}
        return [cell for cell in cells() if cell not in there]

    def run() -> Iterator[str]:
        so_far, left = table(), missing()
        if not left:
            return
        network, (craft, _), held_out = materials.network(key), materials.splits(key), measured()
        clean = predict(network, held_out.batches())
        for method, size, seed in left:
            row = few_pictures(network, method, size, craft, held_out, LINF10, seed, clean)
            parts.add(so_far, row)
            yield f"{method}, {size} pictures, seed {seed}: {row.fooling_rate}"

    return Job("few-pictures", path.stem, {key: BUDGET * len(cells())}, lambda: not missing(), run)
