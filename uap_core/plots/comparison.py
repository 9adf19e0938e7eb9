"""Attacks made for one photograph: how small a change each found, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from uap_core.attacks.menu import HELD, attack_name
from uap_core.experiments.compare import Contender
from uap_core.i18n import _
from uap_core.plots.axes import GREY, RED, add_legend, apart, open_axes


def comparison_figure(contenders: Sequence[Contender], title: str) -> Figure:
    """l2 of the change against the passes through the network that it took, a point an attack, its name at the side."""
    figure, axes = open_axes(_("forward and backward passes"), _("l2 of the change (0-255)"), title)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.autoscale()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FormatStrFormatter("%g"))
        axis.set_minor_formatter(NullFormatter())
    there = sorted((row for row in contenders if row.l2 > 0), key=lambda row: row.l2)
    if not there:
        axes.set(xlim=(1, 100), ylim=(1, 100))  # a log scale cannot be drawn without
        return figure
    lengths, passes = [row.l2 * 255 for row in there], [row.gradients + row.queries for row in there]
    axes.set_ylim(min(lengths) / 1.6, max(lengths) * 1.6)
    axes.set_xlim(min(passes) / 1.6, max(passes) * 1.6)
    fooled, held = [row for row in there if row.verdict != HELD], [row for row in there if row.verdict == HELD]
    for rows, colour, face, label in ((fooled, RED, RED, _("fooled")), (held, GREY, "white", _("held"))):
        if rows:
            places = [row.gradients + row.queries for row in rows], [row.l2 * 255 for row in rows]
            axes.plot(*places, "o", color=colour, markerfacecolor=face, markersize=9, label=label)
    heights = [axes.transAxes.inverted().transform(axes.transData.transform((1, length)))[1] for length in lengths]
    line = {"arrowstyle": "-", "color": GREY, "lw": 0.7}
    for row, at, height in zip(there, zip(passes, lengths, strict=True), apart(heights, 0.075), strict=True):
        axes.annotate(
            attack_name(row.key), at, (1.03, height), textcoords="axes fraction", va="center", fontsize=11, arrowprops=line
        )
    add_legend(axes)
    return figure
