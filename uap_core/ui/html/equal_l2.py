"""Patterns on unseen networks at equal l2 norm, a line for each way to make them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from uap_core.i18n import N_, _
from uap_core.norms import to_levels
from uap_core.ui.html.tables import head, line, wide

if TYPE_CHECKING:
    from uap_core.experiments.equal_l2 import KindMean

NAMES = {
    "several": N_("this project’s method, on several others"),
    "one": N_("this project’s method, on one other"),
    "no_pictures": N_("without pictures, on one other"),
    "paper": N_("the paper's method, on one other"),
    "random_signs": N_("random noise"),
}


def equal_l2_table(found: Sequence[KindMean], norm: str) -> str:
    """Means over patterns and networks that never met; ``norm`` is the common l2 norm in words."""
    titles = (_("Pattern"), _("Its ℓ2 norm"), _("Fooled"), _("Fooled at ℓ2 norm {norm}").format(norm=norm))
    lines = "".join(
        line(
            escape(_(NAMES[kind.kind])),
            [f"{to_levels(kind.l2):.0f}/255", f"{kind.fooling_rate:.1%}", f"{kind.scaled_rate:.1%}"],
        )
        for kind in found
    )
    name = _("Patterns on networks that they never met, at equal ℓ2 norm")
    return wide(name, f'<table class="matrix">{head(titles)}{lines}</table>')
