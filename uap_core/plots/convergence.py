"""Convergence: the fooling rate of each method against image-gradients."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from uap_core.crafting.menu import MENU
from uap_core.experiments.convergence import ConvergenceRow
from uap_core.i18n import _
from uap_core.plots.axes import apart, open_axes

# For methods that state no colour or marker: markers that no method of ours has, and blacks to browns that none is near.
SPARE_COLOURS, SPARE_MARKERS = ("#000000", "#8B4513", "#4B0082", "#808000", "#2F4F4F"), ("*", "p", "h", "<", ">", "d", "8")


def style_of(method: str, number: int) -> tuple[str, str, str]:
    """Colour, marker and label of a method's line; the ``number`` of the line tells apart those that state none.

    A method that the menu does not know, from another project's file, is labelled by its key.
    """
    item = MENU.get(method)
    colour, marker, label = (item.colour, item.marker, item.short) if item else ("", "", method)
    spare_colour, spare_marker = (spare[number % len(spare)] for spare in (SPARE_COLOURS, SPARE_MARKERS))
    return colour or spare_colour, marker or spare_marker, label


def convergence_figure(rows: Sequence[ConvergenceRow], title: str) -> Figure:
    """Held-out fooling rate against image-gradients (log scale), a line a method, named at its end."""
    figure, axes = open_axes(_("looks at a picture (image-gradients)"), _("fooling rate"), title)
    ends = []
    strangers = dict.fromkeys(row.method for row in rows if row.method not in MENU)
    known = [method for method in MENU if any(row.method == method for row in rows)]
    for number, method in enumerate([*known, *strangers]):
        colour, marker, label = style_of(method, number)
        mine = [row for row in rows if row.method == method]
        spent, rates = [row.image_gradients for row in mine], [row.held_out_rate.value for row in mine]
        axes.plot(spent, rates, color=colour, marker=marker, lw=2.2, label=label)
        ends.append((rates[-1], spent[-1], f"{label} {rates[-1]:.0%}", colour))
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:.0f}")
    if ends:
        reach = max(x for _, x, _, _ in ends)
        for height, (rate, x, label, colour) in zip(apart([end[0] for end in sorted(ends)], 0.055), sorted(ends), strict=True):
            axes.annotate(
                label,
                (x, rate),
                (reach * 1.15, height),
                color=colour,
                fontsize=12,
                va="center",
                arrowprops={"arrowstyle": "-", "color": colour, "alpha": 0.4, "relpos": (0, 0.5)},
                annotation_clip=False,
                gid="end",
            )
        axes.set_xlim(right=reach * 3.2)
    return figure
