"""Patterns on networks that they never met, as they are and scaled to one l2 norm.

A bound in l_inf says little of the l2 norm: a pattern that fills its ball in every pixel is larger than one that does not, and
a larger one fools more networks. At equal l2 norm the methods themselves are compared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

import torch

from uap_core.crafting.problem import predicted
from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.networks import LITES
from uap_core.experiments.origins import RANDOM_SIGNS
from uap_core.experiments.transfer_matrix import crafted_on
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation

ONE, SEVERAL, PAPER, NO_PICTURES = "one", "several", "paper", "no_pictures"
KINDS = (SEVERAL, ONE, NO_PICTURES, PAPER, RANDOM_SIGNS)
METHODS = {"deepfool": PAPER, "activations": NO_PICTURES, "intrinsic": NO_PICTURES}


@dataclass(frozen=True)
class EqualNormRow:
    """``perturbation`` (a file, or random signs) of a ``kind`` on ``network`` (key): as it is, of l2 norm ``l2``, and scaled.

    ``scaled_rate`` is the fooling rate at the norm that the table's provenance states.
    """

    perturbation: str
    kind: str
    network: str
    l2: float
    fooling_rate: Rate
    scaled_rate: Rate


def kind_of(found: Perturbation) -> str:
    """How a pattern was made: one of ``KINDS``."""
    if len(crafted_on(found)) > 1:
        return SEVERAL
    return METHODS.get(str(found.provenance.get("method")), ONE)


def unseen(makers: Collection[str], network: str) -> bool:
    """Whether neither ``network`` nor a sibling of it is among the ``makers`` of a pattern (keys)."""
    return set(makers).isdisjoint(LITES if network in LITES else (network,))


def at_equal_norm(
    perturbations: Mapping[str, Perturbation],
    network: Classifier,
    images: ImageSet,
    ball: Ball,
    radius: float,
    known: Collection[str] = (),
) -> Iterator[EqualNormRow]:
    """Those of ``perturbations`` that never met ``network``, then random signs of ``ball``: as they are and of l2 ``radius``.

    Those that are ``known`` are left out. ``radius`` is in units of [0,1] pixels; no pattern is made larger.
    """
    shape = tuple(images.pixels.shape[1:])
    signs = ball.random_signs(shape, torch.Generator().manual_seed(0))
    met = {key: not unseen(crafted_on(found), network.card.key) for key, found in perturbations.items()}
    patterns = {key: (found.pattern, kind_of(found)) for key, found in perturbations.items() if not met[key]}
    patterns[RANDOM_SIGNS] = (signs, RANDOM_SIGNS)
    missing = [key for key in patterns if key not in known]
    clean = predict(network, images.batches()) if missing else torch.empty(0)
    for key in missing:
        v, kind = patterns[key]
        as_it_is = fooling_rate(clean, predicted(network, images.pixels, v))
        scaled = fooling_rate(clean, predicted(network, images.pixels, Ball("l2", radius).project(v)))
        yield EqualNormRow(key, kind, network.card.key, round(float(v.norm()), 4), as_it_is, scaled)


@dataclass(frozen=True)
class KindMean:
    """Means over the cells of a kind: of the l2 norm as it is, the fooling rate then, and that at equal norm."""

    kind: str
    cells: int
    l2: float
    fooling_rate: float
    scaled_rate: float


def means(rows: Sequence[EqualNormRow]) -> list[KindMean]:
    """One line a kind, in the order of ``KINDS``."""
    kinds = [(kind, [row for row in rows if row.kind == kind]) for kind in KINDS]
    return [
        KindMean(
            kind,
            len(mine),
            mean(row.l2 for row in mine),
            mean(row.fooling_rate.value for row in mine),
            mean(row.scaled_rate.value for row in mine),
        )
        for kind, mine in kinds
        if mine
    ]
