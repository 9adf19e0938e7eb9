"""What people call the rows of the tables of defences, by the ids that the rows have. Nothing heavy is imported here."""

from __future__ import annotations

from uap_core.defences.transforms import DEFENCES
from uap_core.i18n import N_, _
from uap_core.models.robust_variants import NAMES as TWIN_NAMES

UNDEFENDED = "none"
ACCURACY, AGREEMENT = "accuracy", "agreement"
CLEAN_KINDS = {ACCURACY: N_("right answers"), AGREEMENT: N_("same answer as undefended")}


def defence_name(defence: str) -> str:
    """The name of a row: of the bare network, of one of DEFENCES, or of a twin; others are called by their ids."""
    known = {UNDEFENDED: _("none")} | {front.id: front.name for front in DEFENCES}
    known |= {twin: _(name) for twin, name in TWIN_NAMES.items()}
    return known.get(defence, defence)
