"""What patterns do beyond the fooling rate: how much of it goes to few labels, and what they make right by accident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from uap_core.i18n import _
from uap_core.ui.html.tables import head, line, wide

if TYPE_CHECKING:
    from uap_core.experiments.evaluation import Evaluation
    from uap_core.experiments.evaluation_rows import EvaluationRow
    from uap_core.metrics import Rate

HEAD = (
    _("Pattern"),
    _("Fooled"),
    _("Random noise"),
    _("In 1 label"),
    _("In 3 labels"),
    _("In 5 labels"),
    _("Most become"),
    _("Wrong before, right now"),
)
READING = _(
    "In 1, 3 and 5 labels: the dominance ratio, the share of all answers under the pattern that are among its most frequent."
    " Wrong before, right now: accidental corrections, of the photographs that the network named wrongly without the pattern."
)


def evaluations_table(rows: Sequence[EvaluationRow], names: Mapping[str, str]) -> str:
    """A line a pattern; ``names`` are those of patterns by their keys."""
    lines = "".join(line(escape(names.get(row.pattern, row.pattern)), _cells(row)) for row in rows)
    return wide(_("What the patterns do"), f'<table class="matrix">{head(HEAD)}{lines}</table>') + _reading()


def _reading() -> str:
    return f'<p class="note">{escape(READING)}</p>'


def _cells(row: EvaluationRow) -> list[str]:
    rates = [row.fooling_rate, row.random_signs, row.top_1, row.top_3, row.top_5]
    cells = [f"{rate.value:.1%}" for rate in rates]
    return [*cells, escape(row.dominant_label), escape(counted(row.corrections))]


def counted(rate: Rate | None) -> str:
    """A rate with what it was counted of."""
    if rate is None:
        return _("not known")
    return _("{count} of {total}").format(count=rate.count, total=rate.total)


def beyond_facts(row: EvaluationRow) -> list[tuple[str, str]]:
    """Both measures as rows of ``facts``."""
    shares = " / ".join(f"{rate.value:.0%}" for rate in (row.top_1, row.top_3, row.top_5))
    return [
        (_("answers in its 1 / 3 / 5 labels"), shares),
        (_("wrong before, right with it"), counted(row.corrections)),
    ]


def beyond_sentence(found: Evaluation) -> str:
    """Both measures of what was just measured, in a sentence; empty where there are none."""
    if not found.dominance:
        return ""
    shares = " / ".join(f"{rate.value:.0%}" for rate in found.dominance)
    said = _("In its 1 / 3 / 5 most frequent labels: {shares} of all answers.").format(shares=shares)
    if found.corrections is None:
        return said
    corrected = _("Wrong before and right with it: {count} of {total}.")
    return f"{said} {corrected.format(count=found.corrections.count, total=found.corrections.total)}"
