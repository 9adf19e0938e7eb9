"""Who fools whom: the fooling rate of each of several patterns on each of several networks (the paper's Table 2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from uap_core.crafting.problem import predicted
from uap_core.datasets import ImageSet
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.perturbation import Perturbation

RANDOM_SIGNS = "random signs"


@dataclass(frozen=True)
class MatrixRow:
    """One cell: what ``perturbation`` does to ``network`` (names); ``crafted_on`` says whether it was crafted on it."""

    perturbation: str
    network: str
    crafted_on: bool
    fooling_rate: Rate


def fooling_matrix(
    perturbations: Sequence[Perturbation], networks: Sequence[Classifier], images: ImageSet, balls: Sequence[Ball], seed: int
) -> Iterator[MatrixRow]:
    """All cells, network by network; then random signs of each of the ``balls``, drawn from ``seed``.

    Patterns, networks and ``images`` share one size. Clean predictions are computed once a network.
    """
    shape = tuple(images.pixels.shape[1:])
    signs = {f"{RANDOM_SIGNS}, {ball}": ball.random_signs(shape, torch.Generator().manual_seed(seed)) for ball in balls}
    for network in networks:
        clean = predict(network, images.batches())
        for perturbation in perturbations:
            rate = fooling_rate(clean, predicted(network, images.pixels, perturbation.pattern))
            crafted_on = network.card.key in str(perturbation.provenance.get("network")).split(", ")
            yield MatrixRow(perturbation.name, network.card.name, crafted_on, rate)
        for name, pattern in signs.items():
            yield MatrixRow(name, network.card.name, False, fooling_rate(clean, predicted(network, images.pixels, pattern)))
