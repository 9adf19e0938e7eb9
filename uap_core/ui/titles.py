"""What charts and tables of precomputed results are called: composed when they are shown, since files have keys only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uap_core.i18n import _
from uap_core.models.names import network_names
from uap_core.perturbations.library import library
from uap_core.ui.html.words import pattern_title, plain

if TYPE_CHECKING:
    from uap_core.ui.state import Studio


def network_name(studio: Studio, key: str) -> str:
    """A network's name as people know it, without the copy of the weights; its key when nobody knows one."""
    return plain(network_names(studio.zoo.cards()).get(key, key))


def names(studio: Studio) -> dict[str, str]:
    """The names of all networks and of the library's patterns, by their keys."""
    return network_names(studio.zoo.cards()) | {entry.key: entry.name for entry in library()}


def plain_names(studio: Studio) -> dict[str, str]:
    """``names`` for everybody: without the copy of the weights, strengths without symbols."""
    networks = {key: plain(name) for key, name in network_names(studio.zoo.cards()).items()}
    return networks | {entry.key: pattern_title(entry.name, entry.ball) for entry in library()}


def precomputed_on(studio: Studio, network: str, count: int) -> str:
    """The title of a chart of ``network`` on ``count`` photographs."""
    return _("{network}: {count} photographs that no pattern was made from (precomputed)").format(
        network=network_name(studio, network), count=count
    )
