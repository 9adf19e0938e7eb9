"""What people call the rows of the tables of defences, by the ids that the rows have. Nothing heavy is imported here."""

from __future__ import annotations

from uap_core.defences.transforms import DEFENCES
from uap_core.models.robust_variants import NAMES as TWIN_NAMES

UNDEFENDED = "none"
ACCURACY, AGREEMENT = "accuracy", "agreement"
CLEAN_KINDS = {ACCURACY: "right answers", AGREEMENT: "same answer as undefended"}


def defence_name(defence: str) -> str:
    """The name of a row: of the bare network, of one of DEFENCES, or of a twin; others are called by their ids."""
    known = {UNDEFENDED: "none"} | {front.id: front.name for front in DEFENCES} | TWIN_NAMES
    return known.get(defence, defence)
