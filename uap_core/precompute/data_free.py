"""The precomputed tables of patterns that need no photographs: one for all networks of a size, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.data_free import BUDGET, DREAMS, METHODS, RANDOM, DataFreeRow, crafters, data_free
from uap_core.experiments.networks import EMBEDDED, LITES, SEVEN
from uap_core.experiments.so_far import Parts, title_of
from uap_core.identity import identities
from uap_core.io.results import Table
from uap_core.metrics import predict
from uap_core.models.zoo import QUICK_MODEL, dreams_for
from uap_core.precompute.materials import Job, Materials, provenance_of
from uap_core.precompute.recipes import LINF10

MEASURED_ON = 300
MOST_DREAMS = 500
SEVERAL, SEEDS = (QUICK_MODEL, LITES[0]), 3  # networks that are crafted on again, under other seeds


def data_free_jobs(materials: Materials, networks: Sequence[str]) -> list[Job]:
    """A table for each size all of whose networks are among ``networks``."""
    families = {"embedded": EMBEDDED, "imagenet": SEVEN}
    return [
        data_free_job(materials, keys, f"{name}-data-free") for name, keys in families.items() if set(keys) <= set(networks)
    ]


def data_free_job(materials: Materials, keys: Sequence[str], name: str) -> Job:
    """Every method on every network of ``keys``; class impressions where there are some that tell the truth about it."""
    path = materials.results / f"{name}.json"
    methods = identities(crafters(materials.card(keys[0]).input_size)) | {RANDOM: {"method": RANDOM, "settings": {}}}
    parts = Parts(path, DataFreeRow, "methods", methods, lambda row: row.method)

    def held_out(key: str) -> ImageSet:
        return materials.held_out(key).shuffled(torch.Generator().manual_seed(0)).prefix(MEASURED_ON)

    def table() -> Table:
        measured = held_out(keys[0])
        stated: dict[str, Any] = {"held_out": f"{len(measured)} images of {measured.name}", "ball": str(LINF10)}
        title = title_of([materials.card(key) for key in keys], len(measured))
        return parts.table(title, provenance_of(materials, keys) | stated, materials.cards())

    def missing() -> list[tuple[str, str, int]]:
        there = {(row.network, row.method, row.seed) for row in table().rows}
        wanted = [
            (key, method, seed)
            for key in keys
            for method in METHODS
            for seed in range(SEEDS if key in SEVERAL and method != RANDOM else 1)
            if method != DREAMS or dreams_for(materials.card(key))
        ]
        return [cell for cell in wanted if cell not in there]

    def run() -> Iterator[str]:
        so_far, left = table(), missing()
        for key in dict.fromkeys(cell[0] for cell in left):
            network, images = materials.network(key), held_out(key)
            clean, source = predict(network, images.batches()), dreams_for(materials.card(key))
            for method, seed in [cell[1:] for cell in left if cell[0] == key]:
                dreams = materials.splits(key, source)[0] if method == DREAMS else None
                some = dreams and dreams.shuffled(torch.Generator().manual_seed(seed)).prefix(MOST_DREAMS)
                row = data_free(network, method, some, images, LINF10, seed, clean)
                parts.add(so_far, row)
                yield f"{key}, {method}, seed {seed}: {row.fooling_rate}"

    cost = {key: BUDGET * 2 * (SEEDS if key in SEVERAL else 1) for key in keys}
    return Job("data-free", path.stem, cost, lambda: not missing(), run)
