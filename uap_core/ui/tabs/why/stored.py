"""Which precomputed moves of labels the tab Why shows, and what they say in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uap_core.i18n import _
from uap_core.io.results import Table
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.html.words import photographs
from uap_core.ui.state import Studio
from uap_core.ui.tabs.why.flow import NEARLY_ALL
from uap_core.ui.titles import network_name, plain_names

if TYPE_CHECKING:
    from uap_core.experiments.label_graph import Move

ALMOST = 0.8  # the share of all photographs that is nearly all
NAMED = 3  # labels that a sentence names where no one rules


@dataclass(frozen=True)
class Moves:
    """A table of moves, the network that it is of, and whether it is of the chosen pattern on the chosen network."""

    table: Table
    network: str
    of_the_choice: bool


def moves_of(studio: Studio, network: str, pattern: str) -> Moves | None:
    """The moves under the chosen pattern; where nobody counted them those under another one of this network, else those of the
    network that ships. None where there are none at all."""
    from uap_core.experiments.label_graph import Move

    for key in dict.fromkeys((network, QUICK_MODEL)):
        names = (f"{key}-dominant-linf10", f"{key}-dominant")
        found = [table for table in (studio.precomputed(name, Move) for name in names) if table and table.rows]
        right = [table for table in found if studio.card(key).is_weights(table.provenance["weights_sha256"])]
        right.sort(key=lambda table: table.provenance["pattern_file"] != pattern)
        if right:
            return Moves(right[0], key, key == network and right[0].provenance["pattern_file"] == pattern)
    return None


def answer(studio: Studio, found: Moves) -> str:
    """Where the labels go, in a sentence that names what it is of where that is not the choice."""
    said = told(found.table.rows, found.table.provenance["held_out"])
    if found.of_the_choice:
        return said
    of = _("This is not of your choice, but of {pattern} on {network}. {said}")
    return of.format(pattern=_pattern(studio, found), network=network_name(studio, found.network), said=said)


def told(moves: Sequence[Move], held_out: str) -> str:
    """Where the labels go, in a sentence."""
    from uap_core.experiments.label_graph import perturbed_counts, share_of_top

    most, counted = perturbed_counts(moves).most_common(NAMED), photographs(held_out)
    if share_of_top(moves, 1).value >= NEARLY_ALL:
        said = _("It pushes most photographs the same way: {share:.0%} of {photographs} end as {label}.")
        if share_of_top(moves, 1).value >= ALMOST:
            said = _("It pushes nearly all photographs the same way: {share:.0%} of {photographs} end as {label}.")
        return said.format(share=share_of_top(moves, 1).value, photographs=counted, label=most[0][0])
    said = _("It pushes photographs towards a few labels: {share:.0%} of {photographs} end as one of {count}: {labels}.")
    listed = ", ".join(label for label, _count in most)
    return said.format(share=share_of_top(moves, NAMED).value, photographs=counted, count=len(most), labels=listed)


def caption(studio: Studio, found: Moves) -> str:
    """Whose picture it is; where it is not that of the choice, that and what to do."""
    network, date = network_name(studio, found.network), found.table.provenance["time"][:10]
    of = _("What {network} says under the pattern {pattern}; precomputed {date}.")
    of = of.format(network=network, pattern=_pattern(studio, found), date=date)
    reading = _(
        "Each arrow leads from what it said before to what it says now; the thicker, the more of those photographs take it."
    )
    if found.of_the_choice:
        return f"{of} {reading}"
    other = _(
        "This has not been counted for your choice yet: the runs under For researchers, below, count it where they are offered."
    )
    return f"{of} {other}"


def _pattern(studio: Studio, found: Moves) -> str:
    file = found.table.provenance["pattern_file"]
    return plain_names(studio).get(file, file)
