"""Patterns made without any photograph: a group of bars a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from matplotlib.figure import Figure

from uap_core.experiments.data_free import ACTIVATIONS, DREAMS, INTRINSIC, RANDOM, DataFreeRow, by_method
from uap_core.i18n import _
from uap_core.plots.axes import BLUE, GREEN, GREY, RED, add_legend, draw_mean_bars, open_axes

STYLES = {
    ACTIVATIONS: (RED, _("activations, on noise")),
    INTRINSIC: (BLUE, _("singular vectors of the layers")),
    DREAMS: (GREEN, _("this project’s method, on class impressions")),
    RANDOM: (GREY, _("random noise")),
}


def data_free_figure(rows: Sequence[DataFreeRow], names: Mapping[str, str], title: str) -> Figure:
    """Fooling rates of each method on each network, the mean of its seeds, in per cent, with the outer ends of their
    95 % Wilson intervals.

    ``names`` are the networks' by their keys.
    """
    figure, axes = open_axes(_("network"), _("fooled photographs"), title)
    rates, networks = by_method(rows), list(dict.fromkeys(row.network for row in rows))
    width = 0.2
    for place, (method, (colour, label)) in enumerate(STYLES.items()):
        mine = [(at, rates[key, method]) for at, key in enumerate(networks) if (key, method) in rates]
        if mine:
            at, several = zip(*mine, strict=True)
            draw_mean_bars(axes, [place_of + (place - 1.5) * width for place_of in at], width, several, colour, label)
    axes.set_xticks(range(len(networks)), [fill(names[key], 12) for key in networks], fontsize=10)
    axes.set_ylim(0, 1.05)
    axes.grid(axis="x", visible=False)
    add_legend(axes)
    return figure
