"""How straight a network is: logits along FGSM's direction with their lines, and what small steps take in more dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from uap_core.experiments.linearity import NEAR, GrowthRow, LogitRow, straight
from uap_core.i18n import _
from uap_core.norms import to_levels
from uap_core.plots.axes import BLUE, GREEN, GREY, RED, add_legend, open_axes


def logits_figure(rows: Sequence[LogitRow], title: str) -> Figure:
    """Logits of two labels against signed epsilon (255ths), each with the straight line fitted near 0, dashed, and its R^2."""
    figure, axes = open_axes(_("step along FGSM’s direction (of 255)"), _("logit"), title)
    _free(axes)
    for label, colour in zip(dict.fromkeys(row.label for row in rows), (BLUE, RED), strict=False):
        mine = [row for row in rows if row.label == label]
        line = straight(mine, label, NEAR)
        x = np.array([row.epsilon for row in mine])
        axes.plot(to_levels(x), [row.logit for row in mine], color=colour, lw=2.4, label=label)
        name = _("its straight line within {near:g}: R² {r2:.3f}").format(near=to_levels(NEAR), r2=line.r2)
        axes.plot(to_levels(x), line.slope * x + line.intercept, "--", color=colour, lw=1.4, label=name)
    axes.axvspan(-to_levels(NEAR), to_levels(NEAR), color=GREY, alpha=0.12, lw=0)
    axes.axvline(0, color=GREY, lw=0.8)
    add_legend(axes)
    return figure


def growth_figure(rows: Sequence[GrowthRow], title: str) -> Figure:
    """For each number of free squares the fall that the gradient predicts and the one that happens, as bars."""
    figure, axes = open_axes(_("squares that may differ, across and down"), _("loss of lead, in logits"), title)
    _free(axes)
    places = np.arange(len(rows))
    axes.bar(places - 0.2, [row.predicted for row in rows], 0.38, color=GREEN, label=_("ε times the gradient’s l1 norm"))
    axes.bar(places + 0.2, [row.real for row in rows], 0.38, color=RED, label=_("what the network really loses"))
    axes.set_xticks(places, [f"{row.squares}" for row in rows])
    axes.set_ylim(bottom=min(0.0, *(1.1 * row.real for row in rows)))
    add_legend(axes)
    return figure


def _free(axes: Axes) -> None:
    """The vertical axis holds numbers, not shares."""
    axes.set_ylim(auto=True)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
