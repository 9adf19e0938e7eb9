"""Attacks made for one photograph: how small a change each found, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from uap_core.attacks.menu import BASELINES, HELD, attack_name
from uap_core.experiments.compare import Contender
from uap_core.i18n import _
from uap_core.norms import to_levels
from uap_core.plots.axes import BLUE, GREY, RED, SIZE, dress
from uap_core.plots.scatter import Dot, draw_dots


def comparison_figure(contenders: Sequence[Contender], title: str) -> Figure:
    """l2 of the change against the passes through the network that it took: a dot an attack, named beside it.

    Dots at the same place are moved apart sideways. Full ones fooled, rings held; blue ones were not made for this picture.
    """
    figure = Figure(figsize=SIZE, dpi=110)  # laid out by hand: dots and names are placed in pixels, and stay where they are
    axes = figure.add_axes((0.1, 0.24, 0.88, 0.68))
    axes.set_title(title, fontsize=14, loc="left", parse_math=False)
    dress(axes, _("passes through the network, forward and backward"), _("length of the change (l2, 0-255)"))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.autoscale()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FormatStrFormatter("%g"))
        axis.set_minor_formatter(NullFormatter())
    there = sorted((row for row in contenders if row.l2 > 0), key=lambda row: row.l2, reverse=True)
    if not there:
        axes.set(xlim=(1, 100), ylim=(1, 100))  # a log scale cannot be drawn without
        return figure
    lengths, passes = [to_levels(row.l2) for row in there], [row.gradients + row.queries for row in there]
    axes.set_ylim(min(lengths) / 2, max(lengths) * 2)
    axes.set_xlim(max(0.5, min(passes)) / 2, max(passes) * 4)  # room for the names on the right
    _explain(axes, there)
    draw_dots(axes, [_dot(row) for row in there])
    return figure


def _dot(row: Contender) -> Dot:
    colour = BLUE if row.key in BASELINES else RED if row.verdict != HELD else GREY
    return Dot(max(0.5, row.gradients + row.queries), to_levels(row.l2), attack_name(row.key), colour, row.verdict != HELD)


def _explain(axes: Axes, rows: Sequence[Contender]) -> None:
    """What colours and rings mean, as far as they occur."""
    own = [row for row in rows if row.key not in BASELINES]
    kinds = [
        (RED, RED, _("made for this picture, fooled"), any(row.verdict != HELD for row in own)),
        (GREY, "white", _("made for this picture, held"), any(row.verdict == HELD for row in own)),
        (BLUE, BLUE, _("the same for every picture (a ring: held)"), len(own) < len(rows)),
    ]
    handles = [
        Line2D([], [], marker="o", ls="", color=colour, markerfacecolor=face, markersize=9, markeredgewidth=1.8, label=label)
        for colour, face, label, occurs in kinds
        if occurs
    ]
    axes.figure.legend(handles=handles, fontsize=12, loc="lower center", ncols=2, frameon=False)
