"""How near short runs come to the ceiling: the fooling rate of the default method against its image-gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from uap_core.experiments.limit import LimitRow
from uap_core.i18n import _
from uap_core.plots.axes import BLUE, GREEN, GREY, RED, SKY, add_legend, draw_rates, open_axes

STYLES = ((RED, "o"), (BLUE, "s"), (GREEN, "D"), (SKY, "^"), (GREY, "v"))


def limit_figure(rows: Sequence[LimitRow], names: Mapping[str, str], title: str) -> Figure:
    """A line a network, with 95 % Wilson bands, against image-gradients (log scale). ``names`` are those of networks by key."""
    figure, axes = open_axes(_("looks at a picture (image-gradients)"), _("fooling rate, unseen photographs"), title)
    networks = list(dict.fromkeys(row.network for row in rows))
    for number, network in enumerate(networks):
        mine = sorted((row for row in rows if row.network == network), key=lambda row: row.image_gradients)
        colour, marker = STYLES[number % len(STYLES)]
        spent, rates = [row.image_gradients for row in mine], [row.fooling_rate for row in mine]
        draw_rates(axes, spent, rates, colour, marker, names.get(network, network))
    axes.set_xscale("log")
    axes.set_xlim(1500, 1.4 * max([10_000, *(row.image_gradients for row in rows)]))
    ticks = sorted({row.image_gradients for row in rows})
    axes.set_xticks(ticks, [f"{tick:,}".replace(",", "\u202f") for tick in ticks])
    axes.minorticks_off()
    low = min([rate for row in rows for rate in row.fooling_rate.interval], default=0.0)
    axes.set_ylim(max(0.0, low - 0.05), 1.0)
    add_legend(axes)
    return figure
