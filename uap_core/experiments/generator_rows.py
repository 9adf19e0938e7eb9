"""Rows of the tables of generators, which the page reads without torch."""

from __future__ import annotations

from dataclasses import dataclass

from uap_core.metrics import Rate


@dataclass(frozen=True)
class DrawRow:
    """Draws of one generator: mean, deviation, lowest and highest fooling rate (0 to 1); mean share that becomes the label
    aimed at; mean cosine of two patterns; labels that rule some draw; share of images on which two draws agree."""

    generator: str
    seed: int
    draws: int
    mean: float
    deviation: float
    lowest: float
    highest: float
    aimed: float
    cosine: float
    dominant: int
    agreement: float


@dataclass(frozen=True)
class PlaceRow:
    """A place of the polygon: where, the ``mix`` of labels there, fooling rate, share of images that become each label."""

    x: float
    y: float
    mix: list[float]
    fooled: Rate
    into: list[float]


@dataclass(frozen=True)
class BesideRow:
    """One figure beside: ``kind`` is a walk, any of the corners at a level, another network or a control; ``name`` which."""

    kind: str
    name: str
    fooled: Rate
