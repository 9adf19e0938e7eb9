"""A row of the table of changed digits, which the page reads without torch."""

from __future__ import annotations

from dataclasses import dataclass

from uap_core.metrics import Rate


@dataclass(frozen=True)
class AttackRow:
    """``fooled``: digits that the classifier named rightly before and wrongly after; ``l2``: mean norm of the changes;
    ``told``: digits, drawn and changed alike, that a judge trained afterwards tells apart."""

    name: str
    fooled: Rate
    l2: float
    told: Rate
