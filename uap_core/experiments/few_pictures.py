"""Patterns from 1, 4, 16 and 64 pictures at equal cost: the method for few pictures, each of its parts taken out, and ours."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.crafting.base import Crafter
from uap_core.crafting.default import Default
from uap_core.crafting.few_pictures import FewPictures
from uap_core.crafting.menu import LARGE_SIDE, TILES
from uap_core.crafting.problem import predicted
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError
from uap_core.metrics import Rate, fooling_rate
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

OURS, FEW = "default", "few_pictures"
WITHOUT = ("no_noise", "no_loudness", "no_tiles")  # FEW less one of its parts
METHODS = (FEW, OURS, *WITHOUT)
SIZES = (1, 4, 16, 64)
BUDGET, BATCH = 2000, 8  # BATCH of OURS


@dataclass(frozen=True)
class FewRow:
    """A pattern by one ``method`` (one of ``METHODS``) from ``images`` pictures under ``seed``, on held-out ones: ``network``
    is a key.
    """

    network: str
    images: int
    method: str
    seed: int
    fooling_rate: Rate
    image_gradients: int
    seconds: float


def crafter(method: str, images: int, side: int) -> Crafter:
    """One of ``METHODS`` at BUDGET image-gradients, for ``images`` pictures of ``side`` pixels.

    OURS takes whole sets that are smaller than a batch: its batch is as small, so that it spends as much, in more steps.
    """
    tiles = TILES if side >= LARGE_SIDE else 1
    if method == OURS:
        return Default(budget=BUDGET, batch_size=min(BATCH, images), tiles=tiles, bf16=True)
    without = {"no_noise": {"noise": 0.0}, "no_loudness": {"loud": 0.0}, "no_tiles": {"tiles": 1}}
    return FewPictures(budget=BUDGET, bf16=True, **without.get(method, {}))  # type: ignore[arg-type]


def few_pictures(
    network: Classifier, method: str, images: int, craft: ImageSet, held_out: ImageSet, ball: Ball, seed: int, clean: Tensor
) -> FewRow:
    """Craft on ``images`` pictures of ``craft`` drawn by ``seed`` and measure on ``held_out``, whose ``clean`` predictions (N,)
    are known. The pictures of a smaller number are among those of a larger one.

    Raises DatasetError for a set of fewer pictures, and what ``Crafter.craft`` raises.
    """
    if len(craft) < images:
        raise DatasetError(f"{craft.name} has {len(craft)} pictures, fewer than the {images} to craft on.")
    part = craft.shuffled(torch.Generator().manual_seed(seed)).prefix(images)
    run = crafter(method, images, network.size).craft(network, part.pixels, ball, torch.Generator().manual_seed(seed))
    (last,) = deque(run, maxlen=1)
    rate = fooling_rate(clean, predicted(network, held_out.pixels, last.perturbation))
    return FewRow(network.card.key, images, method, seed, rate, last.image_gradients, round(last.seconds, 1))


def by_size(rows: Sequence[FewRow]) -> dict[str, dict[int, list[Rate]]]:
    """For each method the rates of all seeds, by the number of pictures."""
    found: dict[str, dict[int, list[Rate]]] = {}
    for row in sorted(rows, key=lambda row: row.images):
        found.setdefault(row.method, {}).setdefault(row.images, []).append(row.fooling_rate)
    return found
