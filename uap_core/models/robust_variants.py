"""Adversarially trained variants of a network: the same architecture, trained further against attacks.

Nothing heavy is imported here, so that the page can list them at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uap_core.models.weights import HERE, state
from uap_core.models.zoo import Zoo

if TYPE_CHECKING:
    from uap_core.models.classifier import Classifier

ROBUST, UNIVERSAL = "robust", "universal"
NAMES = {ROBUST: "trained on attacks", UNIVERSAL: "trained on a universal pattern"}
ENDINGS = {ROBUST: "_robust", UNIVERSAL: "_universal"}
TWINS = tuple(ENDINGS)


def twin_key(key: str, twin: str) -> str:
    """The key of the variant ``twin`` of the network ``key``, whether it exists or not."""
    return f"{key}{ENDINGS[twin]}"


def trained_twins(zoo: Zoo, key: str) -> dict[str, Classifier]:
    """The adversarially trained variants of ``key`` whose weights are here, by their ids in TWINS."""
    cards = zoo.cards()
    keys = {twin: twin_key(key, twin) for twin in TWINS}
    return {twin: zoo.load(found) for twin, found in keys.items() if found in cards and state(cards[found]) == HERE}
