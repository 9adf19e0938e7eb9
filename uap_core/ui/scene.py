"""A scene: what the panel on the left has chosen. Links carry it, and the tour sets it."""

from __future__ import annotations

from dataclasses import dataclass

from uap_core.library import library
from uap_core.norms import LINF, Ball
from uap_core.ui.studio import RANDOM_SIGNS, Studio

DEFAULT_PHOTO = "sample:lion"
LARGEST_LEVEL = 32.0
SIGNS_BALL = Ball(LINF, 10 / 255)


@dataclass(frozen=True)
class Scene:
    """``photo``, ``network`` and ``pattern`` by their keys in the studio, ``epsilon`` in 255ths."""

    photo: str
    network: str
    pattern: str
    epsilon: float


def usual(studio: Studio, network: str = "") -> Scene:
    """What the page opens with; of another ``network``, what choosing it brings."""
    network = network or studio.networks()[0][1]
    pattern = studio.patterns(network, {})[0][1]
    return Scene(DEFAULT_PHOTO, network, pattern, own_level(ball_of(pattern)))


def ball_of(pattern: str) -> Ball:
    """The ball of a ready-made pattern or of the baseline, told without torch. Raises StopIteration when it is unknown."""
    return SIGNS_BALL if pattern == RANDOM_SIGNS else next(entry.ball for entry in library() if entry.key == pattern)


def own_level(ball: Ball) -> float:
    """The epsilon that a pattern of ``ball`` was made for, in 255ths, as the slider shows it."""
    return round(min(ball.radius * 255, LARGEST_LEVEL), 4) if ball.p == LINF else round(ball.radius * 255, 2)


def largest_level(ball: Ball) -> float:
    """Where the slider ends for a pattern of ``ball``, in 255ths."""
    return LARGEST_LEVEL if ball.p == LINF else max(1.0, 2 * ball.radius * 255)
