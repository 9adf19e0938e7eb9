"""What the network feels, precomputed: features in a plane, channels that a pattern switches on, maps of one photograph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
import torch

from uap_core.experiments.class_map import map_rows
from uap_core.experiments.class_map_rows import MapRow
from uap_core.experiments.feature_channels import ChannelRow, channel_rows
from uap_core.experiments.feature_passes import Passes, passes
from uap_core.experiments.feature_plane import PlaneRow, plane_rows
from uap_core.experiments.outcomes import shown_images
from uap_core.experiments.shipped_pictures import shipped_pictures
from uap_core.experiments.so_far import is_whole, title_of
from uap_core.images.photographs import Photo, first_photo
from uap_core.images.reading import from_array, square
from uap_core.io.results import Table, write_table
from uap_core.models.card import Card
from uap_core.perturbations.perturbation import Perturbation, load_perturbation, versions
from uap_core.precompute.materials import Job, Materials, provenance_of


class _Shared:
    """What the tables of one network share, computed when first asked for."""

    def __init__(self, materials: Materials, key: str) -> None:
        self.materials, self.key = materials, key
        self.file = materials.perturbations / f"{key}-linf10.safetensors"

    @cached_property
    def pattern(self) -> Perturbation:
        return load_perturbation(self.file)

    @cached_property
    def passes(self) -> Passes:
        images = shown_images(self.materials.held_out(self.key))
        network, seeded = self.materials.network(self.key), torch.Generator().manual_seed(0)
        return list(passes(network, self.pattern, images, seeded))[-1]


def feel_jobs(materials: Materials, key: str) -> list[Job]:
    """The three tables of one network under its own l_inf pattern."""
    shared, photo = _Shared(materials, key), _first(materials.card(key))
    return [
        _job(shared, "plane", PlaneRow, {}, 900, lambda: plane_rows(shared.passes, materials.network(key).labels)),
        _job(shared, "channels", ChannelRow, {}, 300, lambda: _channels(shared)),
        _job(shared, "maps", MapRow, {"photo": photo.key}, 10, lambda: _maps(shared, photo)),
    ]


def _first(card: Card) -> Photo:
    """The photograph that the page shows of this network first."""
    known = [entry["wnid"] for entry in card.classes] if isinstance(card.classes, list) else None
    return first_photo(card.key, known)


def _channels(shared: _Shared) -> list[ChannelRow]:
    network = shared.materials.network(shared.key)
    return channel_rows(network, shared.passes, shipped_pictures(network.card))


def _maps(shared: _Shared, photo: Photo) -> list[MapRow]:
    network = shared.materials.network(shared.key)
    card = network.card
    image = from_array(np.asarray(square(photo.open(), card.resize_size, card.input_size, card.interpolation)))
    return map_rows(network, image, shared.pattern)


def _job(shared: _Shared, name: str, row_type: type, stated: dict[str, Any], cost: int, rows: Callable[[], list[Any]]) -> Job:
    materials, path = shared.materials, shared.materials.results / f"{shared.key}-feels-{name}.json"

    def provenance() -> dict[str, Any]:
        held_out = {"images": len(shown_images(materials.held_out(shared.key)))}
        pattern = {"pattern_file": shared.file.name, "pattern": shared.pattern.provenance, "seed": 0}
        return provenance_of(materials, [shared.key]) | pattern | held_out | stated

    def is_done() -> bool:
        return shared.file.is_file() and is_whole(path, row_type, provenance(), materials.cards())

    def run() -> Iterator[str]:
        found = rows()
        title = title_of([materials.card(shared.key)], provenance()["images"])
        write_table(Table(title, found, provenance() | versions()), path)
        yield f"{len(found)} rows"

    return Job("feels", path.stem, {shared.key: cost}, is_done, run)
