"""What the bars come to once the attacker adapts, and what training does where the network at hand has not been trained so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from uap_core.defences.names import ACCURACY, UNDEFENDED
from uap_core.i18n import _
from uap_core.models.robust_variants import TWINS
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.state import Studio
from uap_core.ui.tabs.defences.bars import plain_defence
from uap_core.ui.tabs.defences.stored import Defences, defences_of
from uap_core.ui.titles import network_name

if TYPE_CHECKING:
    from uap_core.experiments.defences import DefenceRow


def verdict(rows: Sequence[DefenceRow]) -> str:
    """How little the best filter, and the best trained network, leave to an attacker who keeps the stronger pattern."""
    fronts = [row for row in rows if row.defence not in (UNDEFENDED, *TWINS)]
    twins = [row for row in rows if row.defence in TWINS]
    if not fronts:
        return ""
    front = min(fronts, key=lambda row: row.stronger.value)
    said = _(
        "None of these filters does better than “{front}”: an attacker who knows it and keeps the stronger of two patterns"
        " still fools {least:.0%}."
    ).format(least=front.stronger.value, front=plain_defence(front.defence))
    if not twins:
        return said
    twin = min(twins, key=lambda row: row.stronger.value)
    if twin.stronger.value < front.stronger.value:
        more = _("Training does: “{trained}” brings it to {least:.0%}.")
    else:
        more = _("Nor does training: “{trained}” leaves {least:.0%}.")
    return f"{said} {more.format(trained=plain_defence(twin.defence), least=twin.stronger.value)}"


def trained_elsewhere(studio: Studio, found: Defences) -> str:
    """What training does to the network that ships with trained twins; empty where the bars of ``found`` show such."""
    if any(row.defence in TWINS for row in found.table.rows):
        return ""
    other = defences_of(studio, QUICK_MODEL, "")
    rows: list[DefenceRow] = other.table.rows if other else []
    bare = next((row for row in rows if row.defence == UNDEFENDED), None)
    twins = [row for row in rows if row.defence in TWINS]
    if other is None or bare is None or not twins:
        return ""
    measured = "; ".join(_one(row) for row in twins)
    return _(
        "No trained version of {network} has been measured. Of {other} there are some: undefended it is fooled on {bare:.0%}"
        " by the stronger pattern ({right}); {twins}."
    ).format(
        network=network_name(studio, found.network),
        other=network_name(studio, other.network),
        bare=bare.stronger.value,
        right=_right(bare),
        twins=measured,
    )


def _one(row: DefenceRow) -> str:
    said = _("“{trained}” on {least:.0%} ({right})")
    return said.format(trained=plain_defence(row.defence), least=row.stronger.value, right=_right(row))


def _right(row: DefenceRow) -> str:
    said = _("right on {share:.0%}") if row.clean_is == ACCURACY else _("same answer on {share:.0%}")
    return said.format(share=row.clean.value)
