"""What publishing works with: networks and pictures, and jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from uap_core.crafting.default import Default
from uap_core.crafting.problem import Problem
from uap_core.datasets.image_sets import ImageSet, open_held_out, open_splits
from uap_core.errors import DatasetError
from uap_core.io.paths import PERTURBATIONS, RESULTS
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.models.zoo import Zoo
from uap_core.precompute.recipes import LINF10

Asked = tuple[Path, int, int, None, str]  # arguments of ``open_splits``


@dataclass
class Materials:
    """Networks, and for each input size a folder or zip of real pictures; opened once, when first asked for."""

    zoo: Zoo
    sources: dict[int, Path]
    results: Path = RESULTS
    perturbations: Path = PERTURBATIONS
    work: Path = Path(".publish")
    _sets: dict[Asked, tuple[ImageSet, ImageSet]] = field(default_factory=dict)
    _held_out: dict[Asked, ImageSet] = field(default_factory=dict)

    def network(self, key: str) -> Classifier:
        """A network by its key."""
        return self.zoo.load(key)

    def card(self, key: str) -> Card:
        """A network's card. Raises ModelError when there is none."""
        return self.zoo.card(key)

    def cards(self) -> dict[str, Card]:
        """All cards, by key."""
        return self.zoo.cards()

    def source(self, key: str) -> Path:
        """The real pictures for a network. Raises DatasetError when none were given for networks of its size."""
        card = self.card(key)
        if card.input_size not in self.sources:
            raise DatasetError(f"{card.name} needs pictures of {card.input_size} pixels: name them with --imagenet.")
        return self.sources[card.input_size]

    def splits(self, key: str, source: Path | None = None) -> tuple[ImageSet, ImageSet]:
        """Craft and held-out pictures for a network, the real ones unless another ``source`` is named."""
        wanted = self._wanted(key, source or self.source(key))
        if wanted not in self._sets:
            self._sets[wanted] = open_splits(*wanted)
        return self._sets[wanted]

    def held_out(self, key: str) -> ImageSet:
        """The held-out pictures of ``splits`` alone: those to craft on are not read for them."""
        wanted = self._wanted(key, self.source(key))
        if wanted in self._sets:
            return self._sets[wanted][1]
        if wanted not in self._held_out:
            self._held_out[wanted] = open_held_out(*wanted)
        return self._held_out[wanted]

    def _wanted(self, key: str, source: Path) -> Asked:
        card = self.card(key)
        return source, card.resize_size, card.input_size, None, card.interpolation


@dataclass(frozen=True)
class Job:
    """One file: the image-gradients that it takes at most on each network, and how to make it, telling of progress."""

    part: str
    name: str
    cost: dict[str, int]
    is_done: Callable[[], bool]
    run: Callable[[], Iterator[str]]


def minutes(waiting: Sequence[Job], materials: Materials) -> float:
    """About how long ``waiting`` jobs craft here: their image-gradients at the speed of a few that are timed now.

    Measuring what was crafted comes on top: a quarter more, or several times more for short runs on the embedded network.
    """
    keys = {key for job in waiting for key in job.cost}
    pace = {key: _seconds_per_gradient(materials.network(key)) for key in keys}
    return sum(count * pace[key] for job in waiting for key, count in job.cost.items()) / 60


def _seconds_per_gradient(network: Classifier) -> float:
    images = torch.full((8, 3, network.size, network.size), 128, dtype=torch.uint8)
    problem, method = Problem.pose([network], images, LINF10), Default()
    best = float("inf")
    for _attempt in range(3):
        started = time.perf_counter()
        problem.gradient(method.loss, torch.arange(8), problem.random_signs(torch.Generator()), True)
        best = min(best, time.perf_counter() - started)
    return best / 8


def provenance_of(materials: Materials, keys: Sequence[str]) -> dict[str, Any]:
    """Networks, weights and held-out images: what every table states."""
    cards, held_out = materials.cards(), materials.held_out(keys[0])
    return {
        "network": ", ".join(keys),
        "weights_sha256": ", ".join(cards[key].sha256 for key in keys),
        "held_out": f"{len(held_out)} images of {held_out.name}",
    }
