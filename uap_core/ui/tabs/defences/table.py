"""The figures of defences as a table, and what they come to in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from uap_core.defences.names import CLEAN_KINDS, UNDEFENDED, defence_name
from uap_core.defences.transforms import GRADIENTS
from uap_core.i18n import _
from uap_core.models.robust_variants import TWINS
from uap_core.ui.html.tables import head, line, wide

if TYPE_CHECKING:
    from uap_core.experiments.defences import DefenceRow
    from uap_core.metrics import Rate

HEAD = (
    _("Defence"),
    _("Clean"),
    _("Fooled by the fixed pattern"),
    _("… by one crafted anew"),
    _("… by random noise"),
    _("Gradient"),
    _("Cost"),
)


def table_of(rows: Sequence[DefenceRow], begun: DefenceRow | None = None) -> str:
    """One line a defence: always the fixed pattern and the one crafted anew side by side. Of ``begun`` the latter has spent
    a few of its gradients only, and the line says so."""
    lines = "".join(map(_line, rows)) + (_line(begun, _("only begun")) if begun else "")
    return wide(_("Defences and what fools them"), f'<table class="bouts defences">{head(HEAD)}{lines}</table>')


def _line(row: DefenceRow, remark: str = "") -> str:
    unit = _("image-gradients")
    cells = (
        f"{_rate(row.clean)}<small>{escape(_(CLEAN_KINDS[row.clean_is]))}</small>",
        _rate(row.fixed),
        f"<b>{_rate(row.crafted_anew)}</b>",
        _rate(row.random_signs),
        escape(_(GRADIENTS[row.gradient])),
        f"{row.image_gradients}<small>{unit}</small>",
    )
    below = f"<small>{remark}</small>" if remark else ""
    return line(escape(defence_name(row.defence)) + below, cells)


def _rate(rate: Rate) -> str:
    low, high = rate.interval
    interval = _("{low:.0%} to {high:.0%}").format(low=low, high=high)
    return f"{rate.value:.1%}<small>{interval}</small>"


def conclusion(rows: Sequence[DefenceRow]) -> str:
    """The defence that loses most to a pattern crafted through it, in a sentence; nothing where none was measured."""
    fronts = [row for row in rows if row.defence not in (UNDEFENDED, *TWINS)]
    if not fronts:
        return ""
    worst = max(fronts, key=lambda row: row.crafted_anew.value - row.fixed.value)
    if worst.crafted_anew.value <= worst.fixed.value:
        return _("With this budget no pattern crafted anew did better than the fixed one.")
    return _("Behind {defence} the fixed pattern fools {fixed:.0%}, one crafted through it {anew:.0%}.").format(
        defence=defence_name(worst.defence), fixed=worst.fixed.value, anew=worst.crafted_anew.value
    )
