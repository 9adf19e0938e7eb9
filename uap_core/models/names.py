"""Display names of networks by key. Files have keys only, so that a name can change."""

from __future__ import annotations

from collections.abc import Mapping

from uap_core.models.card import Card

# Of networks that tables and patterns were made on, and whose weights and cards do not ship.
ELSEWHERE = {
    "mobilenet_v2_tf": "mobilenet_v2 (TF)",
    "mobilenet_v1_075": "MobileNet V1 0.75 (TF)",
    "googlenet_bvlc": "GoogLeNet (BVLC)",
}


def network_names(cards: Mapping[str, Card]) -> dict[str, str]:
    """Every name that is known: those of ``cards``, and of networks that are elsewhere."""
    return ELSEWHERE | {key: card.name for key, card in cards.items()}
