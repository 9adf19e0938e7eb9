"""Rows of the tables of generators, which the page reads without torch."""

from __future__ import annotations

from dataclasses import dataclass

from uap_core.metrics import Rate


@dataclass(frozen=True)
class DrawRow:
    """Draws of one generator: mean, deviation, lowest and highest fooling rate (0 to 1); mean share that has the label
    aimed at, as some had before; mean cosine of two patterns; labels that rule some draw; share of images on which two draws
    agree, any two and ``between`` two that aim at different labels. Patterns crafted one by one are told in the same way."""

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
    between: float


@dataclass(frozen=True)
class PlaceRow:
    """A place of the polygon: where, the ``mix`` of labels there, fooling rate, share of images that have each label then."""

    x: float
    y: float
    mix: list[float]
    fooled: Rate
    into: list[float]


@dataclass(frozen=True)
class BesideRow:
    """One figure beside: ``kind`` is a walk or its middle, a blend of two crafted patterns, or any of the corners at a level;
    ``name`` says which."""

    kind: str
    name: str
    fooled: Rate


@dataclass(frozen=True)
class TransferRow:
    """Draws of one generator on one network: mean, deviation and lowest of their fooling rates (0 to 1)."""

    generator: str
    seed: int
    network: str
    draws: int
    mean: float
    deviation: float
    lowest: float


@dataclass(frozen=True)
class TradeRow:
    """A generator trained by other settings, the share of the run ``alone`` and the ``weight`` of fooling after it; its draws
    as ``DrawRow`` has them, and the ``middle`` of a walk that fools least."""

    alone: float
    weight: float
    mean: float
    lowest: float
    highest: float
    cosine: float
    agreement: float
    between: float
    middle: Rate
