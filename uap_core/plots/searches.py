"""Attacks that search for the least c that works: each value tried, how long the change was, and whether it worked."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from uap_core.attacks.menu import attack_name
from uap_core.experiments.compare import Contender
from uap_core.i18n import _
from uap_core.norms import to_levels
from uap_core.plots.axes import BLUE, GREEN, GREY, RED, SKY, open_pair

STYLES = ((BLUE, "o"), (SKY, "s"), (GREEN, "D"), (RED, "^"), (GREY, "v"))
LEAST = 1e-3  # of 255: a descent that went back to the picture still has a place on a log scale


def search_figure(rows: Sequence[Contender], title: str) -> Figure:
    """Two charts over the number of the value tried, on log scales: c, and the length of the change at the end of its descent.

    A mark worked, a cross did not.
    """
    tried, weight, length = _("number of the value tried"), _("c, the weight of the loss"), _("length of the change (0-255)")
    figure, left, right = open_pair(tried, weight, length, title)
    for axes in (left, right):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))  # a scale brings its own
        axes.yaxis.set_minor_formatter(NullFormatter())
    for row, (colour, marker) in zip([row for row in rows if row.trials], STYLES, strict=False):
        worked = [place for place, trial in enumerate(row.trials) if trial.success]
        failed = [place for place, trial in enumerate(row.trials) if not trial.success]
        name = _("{attack}: {worked} of {tried} worked").format(
            attack=attack_name(row.key), worked=len(worked), tried=len(row.trials)
        )
        numbers = list(range(1, len(row.trials) + 1))
        constants = [trial.constant for trial in row.trials]
        lengths = [max(LEAST, to_levels(trial.length)) for trial in row.trials]
        for axes, values in ((left, constants), (right, lengths)):
            axes.plot(numbers, values, "-", color=colour, lw=1.6, marker=marker, markersize=7, markevery=worked, label=name)
            axes.plot(numbers, values, "-", color=colour, lw=0, marker="x", markersize=8, markevery=failed)
    left.plot([], [], "x", color="black", label=_("did not work"))
    figure.legend(*left.get_legend_handles_labels(), fontsize=12, loc="outside lower center", ncols=2, frameon=False)
    return figure
