"""Patterns made without any photograph, on photographs that decide nothing: methods side by side on each network."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.crafting.activations import Activations
from uap_core.crafting.base import Crafter
from uap_core.crafting.default import Default
from uap_core.crafting.intri_uap import Intrinsic
from uap_core.crafting.menu import LARGE_SIDE, TILES
from uap_core.crafting.problem import predicted
from uap_core.datasets.image_sets import ImageSet
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

ACTIVATIONS, INTRINSIC, DREAMS, RANDOM = "activations", "intrinsic", "dreams", "random_signs"
METHODS = (ACTIVATIONS, INTRINSIC, DREAMS, RANDOM)
BUDGET = 2000


@dataclass(frozen=True)
class DataFreeRow:
    """The pattern of one ``method`` (one of ``METHODS``) under ``seed``, on held-out photographs: ``network`` is a key."""

    network: str
    method: str
    seed: int
    fooling_rate: Rate
    image_gradients: int
    seconds: float


def crafters(side: int) -> Mapping[str, Crafter]:
    """What is compared, at the same cost at most, for networks of ``side`` pixels; noise is drawn."""
    tiles = TILES if side >= LARGE_SIDE else 1
    return {
        ACTIVATIONS: Activations(budget=BUDGET),
        INTRINSIC: Intrinsic(budget=BUDGET),
        DREAMS: Default(budget=BUDGET, tiles=tiles),
    }


def data_free(
    network: Classifier,
    method: str,
    dreams: ImageSet | None,
    held_out: ImageSet,
    ball: Ball,
    seed: int,
    clean: Tensor | None = None,
) -> DataFreeRow:
    """Craft by one ``method`` and measure on ``held_out``; its ``clean`` predictions (N,) are computed when left out.

    ``dreams`` are the class impressions that DREAMS crafts on. Raises what ``Crafter.craft`` raises.
    """
    generator = torch.Generator().manual_seed(seed)
    clean = predict(network, held_out.batches()) if clean is None else clean
    if method == RANDOM:
        v, spent, seconds = ball.random_signs(tuple(held_out.pixels.shape[1:]), generator), 0, 0.0
    else:
        pixels = dreams.pixels if dreams is not None and method == DREAMS else None
        (last,) = deque(crafters(network.size)[method].craft(network, pixels, ball, generator), maxlen=1)
        v, spent, seconds = last.perturbation, last.image_gradients, round(last.seconds, 1)
    return DataFreeRow(
        network.card.key, method, seed, fooling_rate(clean, predicted(network, held_out.pixels, v)), spent, seconds
    )


def by_method(rows: Sequence[DataFreeRow]) -> dict[tuple[str, str], list[Rate]]:
    """The rates of each (network, method), one a seed, in the order of ``rows``."""
    found: dict[tuple[str, str], list[Rate]] = {}
    for row in rows:
        found.setdefault((row.network, row.method), []).append(row.fooling_rate)
    return found
