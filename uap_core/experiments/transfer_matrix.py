"""Who fools whom: the fooling rate of each of several patterns on each of several networks (the paper's Table 2)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from uap_core.crafting.problem import predicted
from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.origins import GAUSSIAN, NOISES, RANDOM_SIGNS, MatrixRow, Origin, origin_name, row_of
from uap_core.io.results import Table
from uap_core.metrics import fooling_rate, predict
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball, of_levels, to_levels
from uap_core.perturbations.perturbation import Perturbation


def fooling_matrix(
    perturbations: Mapping[str, Perturbation],
    networks: Sequence[Classifier],
    images: ImageSet,
    balls: Sequence[Ball],
    seed: int,
    known: Collection[tuple[Origin, str]] = (),
) -> Iterator[MatrixRow]:
    """All cells, network by network: of ``perturbations`` by their keys, then of the noise of each of the ``balls``.

    Patterns, networks and ``images`` share one size. Clean predictions are computed once a network. Cells that are ``known``,
    by origin and key of the network, are left out.
    """
    patterns = {Origin(key): (found.pattern, crafted_on(found)) for key, found in perturbations.items()}
    patterns |= {origin: (noise, ()) for origin, noise in noises(balls, tuple(images.pixels.shape[1:]), seed).items()}
    for network in networks:
        missing = [origin for origin in patterns if (origin, network.card.key) not in known]
        clean = predict(network, images.batches()) if missing else torch.empty(0)
        for origin in missing:
            pattern, made_on = patterns[origin]
            rate = fooling_rate(clean, predicted(network, images.pixels, pattern))
            yield row_of(origin, network.card.key, network.card.key in made_on, rate)


def crafted_on(perturbation: Perturbation) -> tuple[str, ...]:
    """Keys of the networks that a pattern was crafted on."""
    return tuple(str(perturbation.provenance.get("network")).split(", "))


def noises(balls: Sequence[Ball], shape: tuple[int, ...], seed: int) -> Mapping[Origin, Tensor]:
    """The rows without knowledge: random signs of each ball, and Gaussian noise of the same l2 norm, drawn from ``seed``."""

    def drawn() -> torch.Generator:
        return torch.Generator().manual_seed(seed)

    found = {Origin(RANDOM_SIGNS, ball.p, ball.radius): ball.random_signs(shape, drawn()) for ball in balls}
    for noise in [ball.gaussian(shape, drawn()) for ball in balls]:
        levels = float(f"{to_levels(float(noise.square().mean().sqrt())):.4g}")  # independent of the order of summation
        found[Origin(GAUSSIAN, size=of_levels(levels))] = noise
    return found


def kept_cells(table: Table | None, provenance: Mapping[str, Any], cards: Mapping[str, Card]) -> list[MatrixRow]:
    """The cells of ``table`` that hold under another ``provenance`` too: of the same images, weights and patterns.

    ``cards`` are those of the networks by their keys. Noise holds with the weights.
    """
    if table is None or any(table.provenance.get(name) != provenance[name] for name in ("held_out", "seed")):
        return []
    stated, times = table.provenance, provenance["patterns"]
    weights = dict(zip(stated["network"].split(", "), stated["weights_sha256"].split(", "), strict=True))
    same = {key for key in provenance["network"].split(", ") if cards[key].is_weights(weights.get(key, "none"))}
    dated = {file for file, time in table.provenance["patterns"].items() if times.get(file) == time}
    return [row for row in table.rows if row.network in same and (row.perturbation in dated or row.perturbation in NOISES)]


def as_text(rows: Sequence[MatrixRow], names: Mapping[str, str]) -> str:
    """The table for a terminal: perturbations in rows, networks in columns, crafted-on cells starred, distortion last.

    ``names`` are those of networks and patterns by their keys.
    """
    networks = list(dict.fromkeys(row.network for row in rows))
    cells = {(row.origin, row.network): row for row in rows}
    origins = {row.origin: origin_name(row.origin, names) for row in rows}
    wide = max(map(len, origins.values()), default=0)
    last = "  distortion" * any(row.distortion is not None for row in rows)
    lines = [" ".join([" " * wide, *(f"{names.get(network, network)[:20]:>20}" for network in networks), last]).rstrip()]
    for origin, name in origins.items():
        found = [cells.get((origin, network)) for network in networks]
        shares = [f"{row.fooling_rate.value:.1%}{'*' if row.crafted_on else ' '}" if row else "" for row in found]
        distortion = next((row.distortion for row in found if row and row.distortion is not None), None)
        last = f"{distortion:12.4f}" if distortion is not None else ""
        lines.append(" ".join([f"{name:{wide}}", *(f"{share:>20}" for share in shares), last]).rstrip())
    return "\n".join(lines)
