"""How strong must a pattern be: fooling rates, and one photograph's probabilities, against epsilon."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from uap_core.experiments.epsilon_sweep import NAMES, RANDOM, SINGLE, UNIVERSAL, PhotoRow, SweepRow
from uap_core.i18n import _
from uap_core.norms import to_levels
from uap_core.plots.axes import BLUE, GREEN, GREY, NOISE, ONE_PICTURE, PATTERN, RED, SKY, add_legend, open_axes
from uap_core.plots.points import draw_live

STYLES = {UNIVERSAL: (PATTERN, "o", "-"), RANDOM: (NOISE, "s", "--"), SINGLE: (ONE_PICTURE, "^", "-")}
BETWEEN = ((GREEN, "D"), (SKY, "v"), (GREY, "P"))  # labels that lead on the way from one to the other


def sweep_figure(
    rows: Sequence[SweepRow], title: str, reach: float = 0.0, live: Sequence[SweepRow] = (), live_name: str = ""
) -> Figure:
    """Fooling rate against epsilon, a line an attack, with 95 % Wilson intervals as bands.

    The axis goes on to ``reach`` (255ths) where that is more. ``live`` rows are large diamonds over the lines, all called
    ``live_name``.
    """
    figure, axes = _over_epsilon(_("fooling rate"), title, reach)
    for attack, (colour, marker, line) in STYLES.items():
        mine = [row for row in rows if row.attack == attack]
        if mine:
            x = [to_levels(row.epsilon) for row in mine]
            axes.plot(
                x, [row.fooling_rate.value for row in mine], line, color=colour, marker=marker, label=_(NAMES[attack]), lw=2.2
            )
            low, high = zip(*(row.fooling_rate.interval for row in mine), strict=True)
            axes.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
    _live(axes, live, live_name)
    add_legend(axes)
    return figure


def _live(axes: Axes, live: Sequence[SweepRow], name: str) -> None:
    for attack, (colour, _marker, _line) in STYLES.items():
        mine = [row for row in live if row.attack == attack]
        if mine:
            x, y = [to_levels(row.epsilon) for row in mine], [row.fooling_rate.value for row in mine]
            draw_live(axes, x, y, colour, name, _(NAMES[attack]))


def photo_figure(rows: Sequence[PhotoRow], title: str, reach: float = 0.0) -> Figure:
    """Probability of the clean and of the new label against epsilon, for one photograph, and of others where they lead."""
    figure, axes = _over_epsilon(_("probability"), title, reach)
    x = [to_levels(row.epsilon) for row in rows]
    clean = _("{label} (clean)").format(label=rows[0].clean_label)
    new = _("{label} (new)").format(label=rows[0].new_label)
    axes.plot(x, [row.clean_probability for row in rows], "-o", color=BLUE, lw=2.2, label=clean)
    axes.plot(x, [row.new_probability for row in rows], "-s", color=RED, lw=2.2, label=new)
    others = dict.fromkeys(row.predicted for row in rows if row.predicted not in (row.clean_label, row.new_label))
    for other, (colour, marker) in zip(others, cycle(BETWEEN), strict=False):
        mine = [row for row in rows if row.predicted == other]
        label = _("{label} (where it leads)").format(label=other)
        places, heights = [to_levels(row.epsilon) for row in mine], [row.predicted_probability for row in mine]
        axes.plot(places, heights, marker, color=colour, markersize=8, label=label)
    changed = [row.predicted != row.clean_label for row in rows]
    if any(changed):
        axes.fill_between(x, 0, 1, where=changed, color=RED, alpha=0.07, lw=0, label=_("prediction changed"))
    add_legend(axes)
    return figure


def _over_epsilon(y_label: str, title: str, reach: float) -> tuple[Figure, Axes]:
    """Axes whose x is epsilon in 255ths; their gid says so to who draws the slider's (svg.py)."""
    figure, axes = open_axes(_("strength ε (of 255)"), y_label, title)
    axes.set_gid("epsilon")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    if reach:
        axes.set_xlim(-0.02 * reach, 1.02 * reach)
    return figure, axes
