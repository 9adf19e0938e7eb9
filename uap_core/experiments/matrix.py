"""Who fools whom: the fooling rate of each of several patterns on each of several networks (the paper's Table 2)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from uap_core.crafting.problem import predicted
from uap_core.datasets import ImageSet
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.perturbation import Perturbation
from uap_core.tables import Table
from uap_core.texts import N_

RANDOM_SIGNS, GAUSSIAN = N_("random signs"), N_("Gaussian noise")


@dataclass(frozen=True)
class MatrixRow:
    """One cell: what ``perturbation`` does to ``network`` (names); ``crafted_on`` says whether it was crafted on it.

    ``distortion``, of perturbations that differ from image to image, is the mean over the images of sqrt(||x' - x||^2 / n),
    in units of [0,1] pixels, n the number of values (Szegedy et al., ICLR 2014, section 4.2).
    """

    perturbation: str
    network: str
    crafted_on: bool
    fooling_rate: Rate
    distortion: float | None = None


def fooling_matrix(
    perturbations: Sequence[Perturbation],
    networks: Sequence[Classifier],
    images: ImageSet,
    balls: Sequence[Ball],
    seed: int,
    known: Collection[tuple[str, str]] = (),
) -> Iterator[MatrixRow]:
    """All cells, network by network; then random signs and Gaussian noise of each of the ``balls``, drawn from ``seed``.

    Patterns, networks and ``images`` share one size. Clean predictions are computed once a network. Cells that are ``known``,
    by the names of pattern and network, are left out.
    """
    patterns = {perturbation.name: (perturbation.pattern, crafted_on(perturbation)) for perturbation in perturbations}
    patterns |= {name: (noise, ()) for name, noise in noises(balls, tuple(images.pixels.shape[1:]), seed).items()}
    for network in networks:
        missing = [name for name in patterns if (name, network.card.name) not in known]
        clean = predict(network, images.batches()) if missing else torch.empty(0)
        for name in missing:
            pattern, made_on = patterns[name]
            rate = fooling_rate(clean, predicted(network, images.pixels, pattern))
            yield MatrixRow(name, network.card.name, network.card.key in made_on, rate)


def crafted_on(perturbation: Perturbation) -> tuple[str, ...]:
    """Keys of the networks that a pattern was crafted on."""
    return tuple(str(perturbation.provenance.get("network")).split(", "))


def noises(balls: Sequence[Ball], shape: tuple[int, ...], seed: int) -> Mapping[str, Tensor]:
    """The rows without knowledge by their names: random signs of each ball, and Gaussian noise of the same l2 norm."""

    def drawn() -> torch.Generator:
        return torch.Generator().manual_seed(seed)

    found = {f"{RANDOM_SIGNS}, {ball}": ball.random_signs(shape, drawn()) for ball in balls}
    for noise in [ball.gaussian(shape, drawn()) for ball in balls]:
        found[f"{GAUSSIAN}, stddev {float(noise.square().mean().sqrt()) * 255:.4g}/255"] = noise
    return found


def kept_cells(
    table: Table | None, provenance: Mapping[str, Any], files: Mapping[str, str], keys: Mapping[str, str]
) -> list[MatrixRow]:
    """The cells of ``table`` that hold under another ``provenance`` too: of the same images, weights and patterns.

    ``files`` and ``keys`` are those of the patterns and networks by their names. Rows without knowledge hold with the weights.
    """
    if table is None or any(table.provenance.get(name) != provenance[name] for name in ("held_out", "seed")):
        return []
    weights, times = _weights(table.provenance) & _weights(provenance), provenance["patterns"]
    same = {key for key, _ in weights}
    dated = {file for file, time in table.provenance["patterns"].items() if times.get(file) == time}
    return [
        row
        for row in table.rows
        if keys.get(row.network) in same
        and (files.get(row.perturbation) in dated or row.perturbation.startswith((RANDOM_SIGNS, GAUSSIAN)))
    ]


def _weights(provenance: Mapping[str, Any]) -> set[tuple[str, str]]:
    return set(zip(provenance["network"].split(", "), provenance["weights_sha256"].split(", "), strict=True))


def as_text(rows: Sequence[MatrixRow]) -> str:
    """The table for a terminal: perturbations in rows, networks in columns, crafted-on cells starred, distortion last."""
    networks = list(dict.fromkeys(row.network for row in rows))
    cells = {(row.perturbation, row.network): row for row in rows}
    names = list(dict.fromkeys(row.perturbation for row in rows))
    wide = max(map(len, names), default=0)
    last = "  distortion" * any(row.distortion is not None for row in rows)
    lines = [" ".join([" " * wide, *(f"{network[:20]:>20}" for network in networks), last]).rstrip()]
    for name in names:
        found = [cells.get((name, network)) for network in networks]
        shares = [f"{row.fooling_rate.value:.1%}{'*' if row.crafted_on else ' '}" if row else "" for row in found]
        distortion = next((row.distortion for row in found if row and row.distortion is not None), None)
        last = f"{distortion:12.4f}" if distortion is not None else ""
        lines.append(" ".join([f"{name:{wide}}", *(f"{share:>20}" for share in shares), last]).rstrip())
    return "\n".join(lines)
