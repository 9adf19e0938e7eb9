"""Display names of the rows in tables of defences, by id. Imports nothing heavy."""

from __future__ import annotations

from uap_core.defences.transforms import DEFENCES
from uap_core.models.robust_variants import NAMES as TWIN_NAMES

UNDEFENDED = "none"
ACCURACY, AGREEMENT = "accuracy", "agreement"
CLEAN_KINDS = {ACCURACY: "right answers", AGREEMENT: "same answer as undefended"}


def defence_name(defence: str) -> str:
    """Display name of a row: no defence, one of DEFENCES, or an adversarially trained variant; else the id itself."""
    known = {UNDEFENDED: "none"} | {front.id: front.name for front in DEFENCES} | TWIN_NAMES
    return known.get(defence, defence)
