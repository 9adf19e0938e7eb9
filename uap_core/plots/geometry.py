"""Why one pattern fools many: singular values of the normals, their subspace, and the directions that matter."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter

from uap_core.experiments import directions, normals
from uap_core.i18n import _
from uap_core.norms import to_levels
from uap_core.plots.axes import BLUE, GREEN, GREY, RED, SKY, add_legend, draw_rates, open_axes
from uap_core.plots.points import draw_live

SINGULAR_STYLES = {normals.NORMALS: (RED, "-"), normals.RANDOM: (GREY, "--")}


def singular_figure(rows: Sequence[normals.SingularRow], title: str) -> Figure:
    """Singular values in falling order, a line for each kind of unit vectors, with the factor by which they fall."""
    figure, axes = open_axes(_("index"), _("singular value"), title)
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    factors = normals.steepness(rows)
    for kind, (colour, line) in SINGULAR_STYLES.items():
        mine = [row for row in rows if row.kind == kind]
        if mine:
            label = _("{kind}: first / last = {factor:.3g}").format(kind=_(normals.NAMES[kind]), factor=factors[kind])
            axes.plot([row.index for row in mine], [row.value for row in mine], line, color=colour, lw=2.6, label=label)
    axes.set_ylim(0, 1.08 * max((row.value for row in rows), default=1))
    add_legend(axes)
    return figure


def subspace_figure(rows: Sequence[normals.SubspaceRow], title: str) -> Figure:
    """Fooling rate of random vectors against the dimension of their subspace (log scale); dashed, that of the full space."""
    figure, axes = open_axes(_("dimensions: first singular vectors of the normals"), _("fooling rate"), title)
    lengths = sorted({row.norm for row in rows}, reverse=True)
    for norm, (colour, marker) in zip(lengths, ((RED, "o"), (BLUE, "^")), strict=False):
        named = f"l2 {to_levels(norm):.0f}/255"
        mine = [row for row in rows if row.norm == norm and row.space == normals.SPAN]
        draw_rates(
            axes,
            [row.dimension for row in mine],
            [row.fooling_rate for row in mine],
            colour,
            marker,
            _("span, {length}").format(length=named),
        )
        for rate in [row.fooling_rate for row in rows if row.norm == norm and row.space == normals.FULL]:
            axes.axhline(
                rate.value,
                color=colour,
                ls="--",
                lw=2,
                label=_("full space, {length}: {rate:.0%}").format(length=named, rate=rate.value),
            )
            axes.axhspan(*rate.interval, color=colour, alpha=0.08, lw=0)
    axes.set_xscale("log")
    dimensions = [row.dimension for row in rows if row.space == normals.SPAN]
    axes.set_xlim(0.8, 1.25 * max(dimensions, default=10))  # a log scale cannot be drawn before there is a point
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    add_legend(axes)
    return figure


DIRECTION_STYLES = {
    directions.UNIVERSAL: (RED, "o"),
    directions.SUM: ("#CC79A7", "D"),
    directions.SINGLE: (BLUE, "^"),
    directions.FAST: (SKY, "v"),
    directions.RANDOM: (GREY, "s"),
    directions.MEAN: (GREEN, "P"),
}


def directions_figure(
    rows: Sequence[directions.DirectionRow],
    title: str,
    live: Sequence[directions.DirectionRow] = (),
    live_name: str = "",
) -> Figure:
    """Fooling rate against l2 length, one line per direction, starting at zero, with 95 % Wilson bands.

    ``live`` rows are large diamonds over the lines, all called ``live_name``.
    """
    figure, axes = open_axes(_("l2 length (0-255)"), _("fooling rate"), title)
    for direction, (colour, marker) in DIRECTION_STYLES.items():
        mine = [row for row in rows if row.direction == direction]
        if mine:
            rates = [row.fooling_rate for row in mine]
            draw_rates(axes, [to_levels(row.norm) for row in mine], rates, colour, marker, _(directions.NAMES[direction]))
            axes.plot([0, to_levels(mine[0].norm)], [0, rates[0].value], color=colour, lw=2.2)
    for direction, (colour, _marker) in DIRECTION_STYLES.items():
        now = [row for row in live if row.direction == direction]
        if now:
            values = [to_levels(row.norm) for row in now], [row.fooling_rate.value for row in now]
            draw_live(axes, *values, colour, live_name, _(directions.NAMES[direction]))
    add_legend(axes)
    return figure
