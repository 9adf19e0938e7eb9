"""Patterns made without any photograph: a group of bars a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from matplotlib.figure import Figure

from uap_core.experiments.data_free import ACTIVATIONS, DREAMS, INTRINSIC, RANDOM, DataFreeRow, summary
from uap_core.i18n import _
from uap_core.plots.axes import BLUE, GREEN, GREY, RED, add_legend, draw_bars, open_axes

STYLES = {
    ACTIVATIONS: (RED, _("activations, on noise")),
    INTRINSIC: (BLUE, _("singular vectors of the layers")),
    DREAMS: (GREEN, _("this project’s method, on class impressions")),
    RANDOM: (GREY, _("random noise")),
}


def data_free_figure(rows: Sequence[DataFreeRow], names: Mapping[str, str], title: str) -> Figure:
    """Fooling rates of each method on each network, over all its seeds, in per cent, with 95 % Wilson intervals.

    ``names`` are the networks' by their keys.
    """
    figure, axes = open_axes(_("network"), _("fooled photographs"), title)
    rates, networks = summary(rows), list(dict.fromkeys(row.network for row in rows))
    width = 0.2
    for place, (method, (colour, label)) in enumerate(STYLES.items()):
        mine = [(at, rates[key, method]) for at, key in enumerate(networks) if (key, method) in rates]
        if mine:
            draw_bars(
                axes, [at + (place - 1.5) * width for at, _rate in mine], width, [rate for _at, rate in mine], colour, label
            )
    axes.set_xticks(range(len(networks)), [fill(names[key], 12) for key in networks], fontsize=10)
    axes.set_ylim(0, 1.05)
    axes.grid(axis="x", visible=False)
    add_legend(axes)
    return figure
