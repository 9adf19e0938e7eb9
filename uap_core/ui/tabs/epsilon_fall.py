"""Why the curve of single steps comes down again in the tab Epsilon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from uap_core.i18n import _
from uap_core.norms import to_levels

if TYPE_CHECKING:
    from uap_core.experiments.epsilon_sweep import SweepRow

FALLS = 0.02  # by how much the curve must have come down for a sentence to say so


def past_its_best(rows: Sequence[SweepRow]) -> str:
    """Why a step made for each picture fools fewer where it is longer, in two sentences; empty where it does not."""
    from uap_core.experiments.epsilon_sweep import SINGLE

    mine = sorted((row for row in rows if row.attack == SINGLE), key=lambda row: row.epsilon)
    if not mine:
        return ""
    best, last = max(mine, key=lambda row: row.fooling_rate.value), mine[-1]
    if best.fooling_rate.value - last.fooling_rate.value < FALLS:
        return ""
    said = _(
        "The attack made for each picture is one straight step. At strength {best:g} it fools {most:.0%}, at {last:g} only"
        " {least:.0%}: its direction is right close to the picture, and one step too long can overshoot."
    )
    return said.format(
        best=round(to_levels(best.epsilon), 2),
        most=best.fooling_rate.value,
        last=round(to_levels(last.epsilon), 2),
        least=last.fooling_rate.value,
    )
