"""What more fooling costs a generator: draws that differ less."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from uap_core.experiments.generator_rows import TradeRow
from uap_core.i18n import _
from uap_core.plots.axes import BLUE, SKY, add_legend, open_axes


def trade_figure(rows: Sequence[TradeRow], title: str) -> Figure:
    """Mean fooling rate over the mean cosine of two draws: a line over the weight of fooling, one over the share alone.

    The first row's share alone is that of the first line; the rows of another share are the second line's, with the row of
    the first line that has their weight.
    """
    figure, axes = open_axes(_("cosine of two draws: 1 is one pattern only"), _("photographs fooled, mean over draws"), title)
    weights = [row for row in rows if row.alone == rows[0].alone]
    others = [row for row in rows if row.alone != rows[0].alone]
    shares = sorted([*others, *(row for row in weights if row.weight == others[0].weight)] if others else [], key=_alone)
    lines = (
        (weights, BLUE, "o", _("more weight on fooling"), [f"{row.weight:g}" for row in weights]),
        (shares, SKY, "s", _("longer aimed at the label alone"), [f"{row.alone:.0%}" for row in shares]),
    )
    for line, colour, marker, label, texts in lines:
        if not line:
            continue
        axes.plot([row.cosine for row in line], [row.mean for row in line], color=colour, marker=marker, lw=2, label=label)
        for row, text in zip(line, texts, strict=True):
            above = -17 if colour == BLUE else 9
            axes.annotate(
                text, (row.cosine, row.mean), (0, above), textcoords="offset points", ha="center", color=colour, fontsize=11
            )
    if rows:
        for values, limit in (([row.cosine for row in rows], axes.set_xlim), ([row.mean for row in rows], axes.set_ylim)):
            limit(max(-1.0, min(values) - 0.05), min(1.0, max(values) + 0.05))
    add_legend(axes)
    return figure


def _alone(row: TradeRow) -> float:
    return row.alone
