"""How strong must a pattern be: fooling rates, and one photograph's probabilities, against epsilon."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from uap_core.experiments.epsilon_sweep import NAMES, RANDOM, SINGLE, UNIVERSAL, PhotoRow, SweepRow
from uap_core.i18n import _
from uap_core.plots.axes import BLUE, GREY, RED, add_legend, open_axes

STYLES = {UNIVERSAL: (RED, "o", "-"), RANDOM: (GREY, "s", "--"), SINGLE: (BLUE, "^", "-")}


def sweep_figure(rows: Sequence[SweepRow], title: str) -> Figure:
    """Fooling rate against epsilon, a line an attack, with 95 % Wilson intervals as bands."""
    figure, axes = open_axes(_("epsilon (of 255)"), _("fooling rate"), title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for attack, (colour, marker, line) in STYLES.items():
        mine = [row for row in rows if row.attack == attack]
        if mine:
            x = [row.epsilon * 255 for row in mine]
            axes.plot(
                x, [row.fooling_rate.value for row in mine], line, color=colour, marker=marker, label=_(NAMES[attack]), lw=2.2
            )
            low, high = zip(*(row.fooling_rate.interval for row in mine), strict=True)
            axes.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
    add_legend(axes)
    return figure


def photo_figure(rows: Sequence[PhotoRow], title: str) -> Figure:
    """Probability of the clean and of the new label against epsilon, for one photograph."""
    figure, axes = open_axes(_("epsilon (of 255)"), _("probability"), title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    x = [row.epsilon * 255 for row in rows]
    clean = _("{label} (clean)").format(label=rows[0].clean_label)
    new = _("{label} (new)").format(label=rows[0].new_label)
    axes.plot(x, [row.clean_probability for row in rows], "-o", color=BLUE, lw=2.2, label=clean)
    axes.plot(x, [row.new_probability for row in rows], "-s", color=RED, lw=2.2, label=new)
    changed = [row.predicted != row.clean_label for row in rows]
    if any(changed):
        axes.fill_between(x, 0, 1, where=changed, color=RED, alpha=0.07, lw=0, label=_("prediction changed"))
    add_legend(axes)
    return figure
