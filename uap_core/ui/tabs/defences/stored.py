"""Which precomputed defences the tab shows, and what they say in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uap_core.defences.names import UNDEFENDED
from uap_core.i18n import _
from uap_core.io.results import Table
from uap_core.models.robust_variants import TWINS
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.html.words import made_from, photographs
from uap_core.ui.state import Studio
from uap_core.ui.tabs.defences.bars import plain_defence
from uap_core.ui.titles import network_name, plain_names

if TYPE_CHECKING:
    from uap_core.experiments.defences import DefenceRow


@dataclass(frozen=True)
class Defences:
    """A table, the network that it is of, and whether it is of the chosen pattern on the chosen network."""

    table: Table
    network: str
    of_the_choice: bool

    @property
    def pattern(self) -> str:
        """Key of the pattern that was tried."""
        return str(self.table.provenance["pattern_file"])


def defences_of(studio: Studio, network: str, pattern: str) -> Defences | None:
    """The chosen network's table, else that of the network that ships. None where there is none at all."""
    from uap_core.experiments.defences import DefenceRow

    for key in dict.fromkeys((network, QUICK_MODEL)):
        found = studio.precomputed(f"{key}-defences", DefenceRow)
        if found and found.rows and studio.card(key).is_weights(found.provenance["weights_sha256"]):
            return Defences(found, key, key == network and found.provenance["pattern_file"] == pattern)
    return None


def answer(studio: Studio, found: Defences) -> str:
    """What helps, in a sentence that names what it is of where that is not the choice."""
    said = told(found.table.rows)
    if found.of_the_choice:
        return said
    of, titles = _("This is not of your choice, but of {pattern} on {network}. {said}"), plain_names(studio)
    name = network_name(studio, found.network)
    return of.format(pattern=titles.get(found.pattern, found.pattern), network=name, said=said)


def told(rows: Sequence[DefenceRow]) -> str:
    """The filter that the fixed pattern fails against most, what an attacker makes of it, and the best trained network."""
    bare = next((row for row in rows if row.defence == UNDEFENDED), None)
    fronts = [row for row in rows if row.defence not in (UNDEFENDED, *TWINS)]
    twins = [row for row in rows if row.defence in TWINS]
    if bare is None or not fronts:
        return _("Nothing was measured in front of this network.")
    best = min(fronts, key=lambda row: row.fixed.value)
    if best.crafted_anew.value > best.fixed.value:
        said = _("“{front}” takes the pattern from {bare:.0%} to {fixed:.0%}; one crafted through it is back at {anew:.0%}")
    else:
        said = _("“{front}” takes the pattern from {bare:.0%} to {fixed:.0%}; one crafted through it fools {anew:.0%}")
    numbers = {"bare": bare.fixed.value, "fixed": best.fixed.value, "anew": best.crafted_anew.value}
    first = said.format(front=plain_defence(best.defence), **numbers)
    if not twins:
        return f"{first}."
    holds = min(twins, key=lambda row: row.stronger.value)
    rest = _("{first}. “{trained}” holds best: {least:.0%}.")
    if holds.stronger.value > min(row.stronger.value for row in fronts):
        rest = _("{first}. “{trained}”: {least:.0%}.")
    return rest.format(first=first, trained=plain_defence(holds.defence), least=holds.stronger.value)


def caption(studio: Studio, found: Defences) -> str:
    """What the bars were measured on, and what the new patterns cost."""
    stated, bare = found.table.provenance, found.table.rows[0]
    said = _(
        "{network}, precomputed on {photographs}, {date}. Patterns crafted anew cost {cost} looks at a picture each, on"
        " {crafted_on}. Right answers are those without any pattern."
    ).format(
        network=network_name(studio, found.network),
        photographs=photographs(stated["held_out"]),
        date=stated["time"][:10],
        cost=bare.image_gradients,
        crafted_on=made_from(stated["crafted_on"], plain_names(studio)),
    )
    if found.of_the_choice:
        return said
    other = _("For your choice this has not been computed: a run under For researchers measures it where one is offered.")
    return f"{said} {other}"
