"""The origin of the perturbation in a row of a transfer table: ids in files, display names on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from uap_core.attacks.menu import MENU
from uap_core.metrics import Rate
from uap_core.norms import Ball, in_levels, to_levels

RANDOM_SIGNS, GAUSSIAN = "random_signs", "gaussian"
NOISES = (RANDOM_SIGNS, GAUSSIAN)


@dataclass(frozen=True)
class Origin:
    """A pattern, noise, or examples made for each image.

    ``perturbation``: the key of a pattern of the library (its file), one of NOISES, or of an attack of the menu. ``made_on``:
    the key of the network that examples were made on. ``like``: the attack whose examples noise is as large as. ``size``:
    the epsilon of a bounded attack, the radius of the ball in the norm ``p`` that random signs fill, or the standard
    deviation of Gaussian noise; in units of [0,1] pixels.
    """

    perturbation: str
    p: str = ""
    size: float | None = None
    made_on: str = ""
    like: str = ""


@dataclass(frozen=True)
class MatrixRow:
    """One cell: what a perturbation does to ``network`` (key); ``crafted_on`` says whether it was crafted on it.

    ``distortion``, of perturbations that differ from image to image, is the mean over the images of sqrt(||x' - x||^2 / n),
    in units of [0,1] pixels, n the number of values (Szegedy et al., ICLR 2014, section 4.2). For the other fields see
    ``Origin``.
    """

    perturbation: str
    network: str
    crafted_on: bool
    fooling_rate: Rate
    distortion: float | None = None
    p: str = ""
    size: float | None = None
    made_on: str = ""
    like: str = ""

    @property
    def origin(self) -> Origin:
        """What the rows of one perturbation share."""
        return Origin(self.perturbation, self.p, self.size, self.made_on, self.like)


def row_of(origin: Origin, network: str, crafted_on: bool, rate: Rate, distortion: float | None = None) -> MatrixRow:
    """The cell of ``origin`` on ``network``."""
    return MatrixRow(network=network, crafted_on=crafted_on, fooling_rate=rate, distortion=distortion, **vars(origin))


def origin_name(origin: Origin, names: Mapping[str, str]) -> str:
    """Display name; ``names`` are those of networks and patterns by key."""
    if origin.like:
        attack = _attack_name(origin.like, origin.size)
        if origin.perturbation == GAUSSIAN:
            return f"Gaussian noise, as large as by {attack}"
        return f"random signs, as large as by {attack}"
    if origin.perturbation == GAUSSIAN and origin.size is not None:
        return f"Gaussian noise, stddev {to_levels(origin.size):.4g}/255"
    if origin.perturbation == RANDOM_SIGNS and origin.size is not None:
        return f"random signs, {Ball(origin.p, origin.size)}"
    if origin.made_on:
        attack = _attack_name(origin.perturbation, origin.size)
        return f"{attack}, made on {names.get(origin.made_on, origin.made_on)}"
    return names.get(origin.perturbation, origin.perturbation)


def _attack_name(key: str, epsilon: float | None) -> str:
    within = "" if epsilon is None else f" {in_levels(epsilon)}"
    return (MENU[key].short if key in MENU else key) + within
