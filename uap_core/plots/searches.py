"""Attacks that search for the least c that works: each value tried, how long the change was, and whether it worked."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from uap_core.attacks.menu import attack_name
from uap_core.experiments.compare import Contender
from uap_core.i18n import _
from uap_core.plots.axes import BLUE, GREEN, GREY, ORANGE, RED, add_legend, open_axes

COLOURS = (BLUE, ORANGE, GREEN, RED, GREY)
LEAST = 1e-3  # of 255: a descent that went back to the picture still has a place on a log scale


def search_figure(rows: Sequence[Contender], title: str) -> Figure:
    """The length of the change at the end of each descent against c, in the order tried, both on log scales.

    Full marks worked, rings did not; numbers tell the order.
    """
    figure, axes = open_axes(_("c, the weight of the loss"), _("length of the change (0-255)"), title)
    axes.autoscale()
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    for row, colour in zip([row for row in rows if row.trials], COLOURS, strict=False):
        x = [trial.constant for trial in row.trials]
        y = [max(LEAST, trial.length * 255) for trial in row.trials]
        worked = sum(trial.success for trial in row.trials)
        name = _("{attack}: {worked} of {tried} values of c worked").format(
            attack=attack_name(row.key), worked=worked, tried=len(x)
        )
        axes.plot(x, y, "-", color=colour, lw=1.0, alpha=0.6, label=name)
        for number, (trial, at, height) in enumerate(zip(row.trials, x, y, strict=True), start=1):
            face = colour if trial.success else "white"
            axes.plot(at, height, "o", color=colour, markersize=9, markerfacecolor=face, markeredgewidth=1.8)
            axes.annotate(f"{number}", (at, height), (0, 8), textcoords="offset points", ha="center", fontsize=9)
    add_legend(axes)
    return figure
