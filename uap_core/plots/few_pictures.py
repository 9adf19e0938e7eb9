"""Patterns from few pictures: fooling rate against their number, a line a method."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from uap_core.experiments.few_pictures import FEW, OURS, SIZES, FewRow, by_size
from uap_core.i18n import _
from uap_core.io.results import mean_rate, outer_ends
from uap_core.plots.axes import GREEN, GREY, PATTERN, SKY, add_legend, open_axes

FEW_COLOUR, FEW_MARKER = "#882255", "X"  # as in the list of methods
STYLES = {
    FEW: (FEW_COLOUR, FEW_MARKER, _("for few pictures")),
    OURS: (PATTERN, "o", _("this project’s method, at the same cost")),
}
PARTS = {
    "no_noise": (GREEN, "^", _("for few pictures, without noise")),
    "no_loudness": (SKY, "s", _("for few pictures, without loud layers")),
    "no_tiles": (GREY, "D", _("for few pictures, without tiles")),
}


def few_pictures_figure(rows: Sequence[FewRow], title: str) -> Figure:
    """Mean fooling rates over seeds against the number of pictures (log scale).

    A band reaches from the lowest to the highest end of the seeds' 95 % Wilson intervals. What is left of the method without
    one of its parts is drawn as points.
    """
    figure, axes = open_axes(_("pictures it is made from"), _("fooled photographs"), title)
    found = by_size(rows)
    for method, (colour, marker, label) in STYLES.items():
        if method in found:
            sizes, rates = list(found[method]), list(found[method].values())
            low, high = zip(*map(outer_ends, rates), strict=True)
            axes.plot(sizes, list(map(mean_rate, rates)), color=colour, marker=marker, lw=2.2, label=label)
            axes.fill_between(sizes, low, high, color=colour, alpha=0.13, lw=0)
    for method, (colour, marker, label) in PARTS.items():
        if method in found:
            values = list(map(mean_rate, found[method].values()))
            axes.plot(list(found[method]), values, color=colour, marker=marker, ls="", markersize=8, label=label)
    axes.set_xscale("log", base=4)
    axes.set_xticks(SIZES, [str(size) for size in SIZES])
    add_legend(axes)
    return figure
