"""The published tables on why there are universal patterns: normals, subspaces, directions, dominant labels.

Normals come from craft images, rates from held-out ones. The normals are computed once for the tables that need them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.directions import (
    NORMS,
    DirectionRow,
    adversarial_directions,
    blind_directions,
    direction_rates,
    fast_directions,
)
from uap_core.experiments.label_graph import Move, label_moves
from uap_core.experiments.normals import SMALL_SIDE, SingularRow, SubspaceRow, lengths, spectrum, subspace_rates, unit_normals
from uap_core.experiments.so_far import is_whole
from uap_core.io.results import Table, write_table
from uap_core.metrics import predict
from uap_core.perturbations.perturbation import Perturbation, load_perturbation, versions
from uap_core.precompute.materials import Job, Materials, provenance_of

# Craft and held-out images: of small networks, which are ten times as quick, and of others.
NORMALS_OF, MEASURED_ON = (500, 500), (500, 300)
GRADIENTS_A_NORMAL = 20
BOUNDED = "linf10"  # the pattern that the page opens with


class Geometry:
    """What the tables of one network share, computed when first asked for."""

    def __init__(self, materials: Materials, key: str, norm: str = "l2") -> None:
        self.materials, self.key, self.card = materials, key, materials.card(key)
        self.file = materials.perturbations / f"{key}-{norm}.safetensors"
        self.large = int(self.card.input_size > SMALL_SIDE)

    @cached_property
    def craft(self) -> ImageSet:
        """The images whose normals are taken."""
        craft, _ = self.materials.splits(self.key)
        return craft.shuffled(seeded(0)).prefix(NORMALS_OF[self.large])

    @cached_property
    def images(self) -> ImageSet:
        """The images that the vectors are tried on."""
        return self.materials.held_out(self.key).shuffled(seeded(0)).prefix(MEASURED_ON[self.large])

    @cached_property
    def clean(self) -> Tensor:
        """Their clean labels."""
        return predict(self.materials.network(self.key), self.images.batches())

    @cached_property
    def normals(self) -> Tensor:
        """Unit normals (n,3,S,S)."""
        return torch.cat(list(unit_normals(self.materials.network(self.key), self.craft)))

    @cached_property
    def pattern(self) -> Perturbation:
        """The network's own pattern of the library, in the norm that was asked for."""
        return load_perturbation(self.file)


def seeded(seed: int) -> torch.Generator:
    """A separate generator for each table, so that tables do not depend on the order of computing."""
    return torch.Generator().manual_seed(seed)


def why_jobs(materials: Materials, key: str) -> list[Job]:
    """The tables of one network: moves of labels under its l_inf and its l2 pattern, singular values, subspaces, directions."""
    shared, bounded = Geometry(materials, key), Geometry(materials, key, BOUNDED)
    stated = {"normals_of": f"{NORMALS_OF[shared.large]} craft images"}
    on_fewer = {"measured_on": f"{MEASURED_ON[shared.large]} of the held-out images"}

    def moves(of: Geometry) -> list[Move]:
        return list(label_moves(materials.network(key), of.pattern, materials.held_out(key)))[-1]

    def subspaces() -> Iterable[SubspaceRow]:
        network = materials.network(key)
        return subspace_rates(network, shared.normals, shared.images, shared.clean, lengths(network.size), seeded(0))

    normals_cost = NORMALS_OF[shared.large] * GRADIENTS_A_NORMAL
    return [
        _job(bounded, f"dominant-{BOUNDED}", Move, {}, 200, lambda: moves(bounded)),
        _job(shared, "dominant", Move, {}, 200, lambda: moves(shared)),
        _job(shared, "normals", SingularRow, stated, normals_cost, lambda: spectrum(shared.normals, seeded(0))),
        _job(shared, "subspace", SubspaceRow, stated | on_fewer, 500, subspaces),
        _job(shared, "directions", DirectionRow, stated | on_fewer, 1000, lambda: _directions(shared)),
    ]


def _directions(shared: Geometry) -> Iterator[DirectionRow]:
    network, generator = shared.materials.network(shared.key), seeded(0)
    draws = blind_directions(shared.pattern.pattern, shared.craft, generator)
    draws |= fast_directions(network, shared.craft, generator) | adversarial_directions(shared.normals, generator)
    yield from direction_rates(network, shared.images, shared.clean, draws, NORMS)


def _job(
    shared: Geometry, name: str, row_type: type, stated: dict[str, Any], cost: int, rows: Callable[[], Iterable[Any]]
) -> Job:
    path = shared.materials.results / f"{shared.key}-{name}.json"

    def provenance() -> dict[str, Any]:
        found = provenance_of(shared.materials, [shared.key]) | stated | {"seed": 0}
        if row_type in (Move, DirectionRow):  # the others are of the network alone
            found |= {"pattern_file": shared.file.name, "pattern": shared.pattern.provenance}
        return found

    def run() -> Iterator[str]:
        found = []
        for row in rows():
            found.append(row)
            if row_type in (SubspaceRow, DirectionRow):
                yield str(row)
        write_table(Table(shared.card.name, found, provenance() | versions()), path)
        yield f"{len(found)} rows"

    def is_done() -> bool:
        return shared.file.is_file() and is_whole(path, row_type, provenance(), shared.materials.cards())

    return Job("why", path.stem, {shared.key: cost}, is_done, run)
