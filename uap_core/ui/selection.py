"""What the bar has chosen: a scene, which links carry, and a selection, which handlers get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.images.photographs import first_photo
from uap_core.models.card import Card
from uap_core.norms import LINF, Ball
from uap_core.perturbations.library import library
from uap_core.ui.state import RANDOM_SIGNS, Pattern, Studio

if TYPE_CHECKING:
    from uap_core.perturbations.perturbation import Perturbation

LARGEST_LEVEL = 32.0
SIGNS_BALL = Ball(LINF, 10 / 255)


@dataclass(frozen=True)
class Scene:
    """``photo``, ``network`` and ``pattern`` by their keys in the studio, ``epsilon`` in 255ths."""

    photo: str
    network: str
    pattern: str
    epsilon: float


@dataclass(frozen=True)
class Selection:
    """What the bar has chosen for the one who asks: a scene, and the patterns of ``own`` that it may name."""

    photo: str
    network: str
    pattern: str
    own: dict[str, Pattern]
    epsilon: float

    def perturbation(self, studio: Studio) -> Perturbation:
        """The chosen pattern at the slider's strength. Raises SettingError when that is out of range."""
        found = self.unscaled(studio)
        check_level(found.ball, self.epsilon)
        return found.scaled_to(self.epsilon / 255)

    def unscaled(self, studio: Studio) -> Perturbation:
        """The chosen pattern at its own strength. Raises PerturbationError when it is gone."""
        return studio.perturbation(self.pattern, self.network, self.own)


Handler = TypeVar("Handler", bound=Callable[..., Any])


def of_selection(handler: Handler) -> Handler:
    """Mark a handler that takes what is chosen as one Selection: of ``Setup.inputs``, in front of its other inputs."""
    handler.takes_selection = True  # type: ignore[attr-defined]
    return handler


def usual(studio: Studio, network: str = "") -> Scene:
    """What the page opens with; of another ``network``, what is shown of it first."""
    network = network or studio.first_network()
    pattern = studio.patterns(network, {})[0][1]
    photo = first_photo(network, class_ids(studio.card(network)))
    return Scene(f"sample:{photo.key}", network, pattern, own_level(ball_of(pattern)))


def class_ids(card: Card) -> set[str] | None:
    """WordNet ids of the classes that a network's card lists; None where it knows all of ImageNet."""
    return {entry["wnid"] for entry in card.classes} - {""} if isinstance(card.classes, list) else None


def ball_of(pattern: str) -> Ball:
    """The ball of a ready-made pattern or of the baseline, told without torch. Raises StopIteration when it is unknown."""
    return SIGNS_BALL if pattern == RANDOM_SIGNS else next(entry.ball for entry in library() if entry.key == pattern)


def own_level(ball: Ball) -> float:
    """The epsilon that a pattern of ``ball`` was made for, in 255ths, as the slider shows it."""
    return round(min(ball.radius * 255, LARGEST_LEVEL), 4) if ball.p == LINF else round(ball.radius * 255, 2)


def largest_level(ball: Ball) -> float:
    """Where the slider ends for a pattern of ``ball``, in 255ths."""
    return LARGEST_LEVEL if ball.p == LINF else max(1.0, 2 * ball.radius * 255)


def check_level(ball: Ball, epsilon: Any) -> None:
    """Raise SettingError if epsilon (255ths) is outside the range allowed for ``ball``."""
    if not isinstance(epsilon, (int, float)) or not 0 <= epsilon <= largest_level(ball):
        raise SettingError(_("The strength must lie between 0 and {largest:g} of 255.").format(largest=largest_level(ball)))
