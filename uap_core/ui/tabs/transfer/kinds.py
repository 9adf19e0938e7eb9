"""Convolution against attention: what the patterns of one kind of network do to the other, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from uap_core.i18n import _
from uap_core.models.card import Card

if TYPE_CHECKING:
    from uap_core.experiments.origins import MatrixRow

TRANSFORMERS = ("vit",)  # with which the names of their architectures begin


def is_transformer(card: Card) -> bool:
    """Whether a network looks by attention, by the name of its architecture."""
    return card.architecture.startswith(TRANSFORMERS)


def across_kinds(rows: Sequence[MatrixRow], cards: Mapping[str, Card], known: Mapping[str, str]) -> str:
    """How often l_inf patterns of single networks fool one of the other kind; empty where there is but one kind.

    Networks that were attacked while they learned are left out: they resist whatever their kind.
    """
    plain = [key for key in dict.fromkeys(row.network for row in rows) if key in cards and not cards[key].recipe.get("epsilon")]
    attentive = [key for key in plain if is_transformer(cards[key])]
    convolving = [key for key in plain if key not in attentive]
    there, back = _rates(rows, convolving, attentive), _rates(rows, attentive, convolving)
    if not there or not back:
        return ""
    said = _(
        "A pattern made on convolutions ({convolving}) fools {attentive}, which looks by attention, on {there} of photographs;"
        " the other way it is {back}."
    )
    names = {kind: ", ".join(known.get(key, key) for key in keys) for kind, keys in (("c", convolving), ("a", attentive))}
    return said.format(convolving=names["c"], attentive=names["a"], there=_range(there), back=_range(back))


def _rates(rows: Sequence[MatrixRow], made_on: Sequence[str], networks: Sequence[str]) -> list[float]:
    """Of the patterns of ``made_on``, each network's own at the page's strength, on ``networks``; sorted."""
    patterns = {f"{key}-linf10.safetensors" for key in made_on}
    return sorted(row.fooling_rate.value for row in rows if row.perturbation in patterns and row.network in networks)


def _range(values: Sequence[float]) -> str:
    low, high = f"{values[0]:.0%}", f"{values[-1]:.0%}"
    return low if low == high else _("{low} to {high}").format(low=low, high=high)
