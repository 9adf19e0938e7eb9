"""How far a change can move the logits: the bound of each layer, and what the bounds certify for each picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogFormatterSciNotation, MaxNLocator

from uap_core.experiments.certified_radius import ALEXNET, LayerRow, RadiusRow
from uap_core.i18n import _
from uap_core.plots.axes import BLUE, GREEN, GREY, RED, add_legend, open_axes
from uap_core.plots.points import Names

LAYER_COLOURS = (
    ("convolution", BLUE, _("convolutions")),
    ("fully_connected", GREEN, _("fully connected")),
    ("", GREY, _("others")),
)


def layers_figure(rows: Sequence[LayerRow], title: str) -> Figure:
    """A bar a layer, on a log scale about 1: its bound; a mark on it where the power method was run at the real size."""
    figure, axes = open_axes("", _("stretch, at most"), title)
    axes.set_ylim(0.5, 2)
    axes.set_yscale("log")
    there = [row for row in rows if row.bound and math.isfinite(row.bound)]
    axes.autoscale()
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    for colour, label in (entry[1:] for entry in LAYER_COLOURS):
        mine = [i for i, row in enumerate(there) if _layer_colour(row) == colour]
        bounds = [there[i].bound or 1.0 for i in mine]
        if mine:
            axes.bar(mine, [bound - 1 for bound in bounds], 0.8, bottom=1, color=colour, label=label)
    real = [(i, row.real) for i, row in enumerate(there) if row.real]
    if real:
        axes.plot(*zip(*real, strict=True), "_", color="black", markersize=7, mew=1.6, label=_("power method, real size"))
    axes.axhline(1, color="black", lw=0.8)
    every = max(1, math.ceil(len(there) / 30))
    axes.set_xticks(range(0, len(there), every))
    # A name for every layer, of which those at ticks are written.
    axes.xaxis.set_major_formatter(Names([row.label for row in there]))
    axes.tick_params(axis="x", rotation=90, labelsize=9)
    axes.grid(axis="x", visible=False)
    add_legend(axes)
    return figure


def beside_alexnet_figure(rows: Sequence[LayerRow], name: str, title: str) -> Figure:
    """The bounds of the layers with weights in their order, beside the eight that were published of AlexNet; log scale."""
    figure, axes = open_axes(_("layers with weights, from the picture to the logits"), _("stretch, at most"), title)
    axes.set_ylim(0.5, 2)
    axes.set_yscale("log")
    axes.autoscale()
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    mine = [row.bound for row in rows if row.shape and row.bound and math.isfinite(row.bound)]
    for bounds, colour, marker, label in (
        (ALEXNET, GREY, "D", _("AlexNet, published: together {product:.2g}")),
        (mine, BLUE, "o", _("{network}: these layers together {product:.2g}")),
    ):
        places = [(number + 0.5) / len(bounds) for number in range(len(bounds))]
        product = math.prod(bounds)
        axes.plot(places, bounds, marker=marker, color=colour, lw=1.2, label=label.format(product=product, network=name))
    axes.set_xticks([])
    axes.set_xlim(0, 1)
    axes.axhline(1, color="black", lw=0.8)
    add_legend(axes)
    return figure


def _layer_colour(row: LayerRow) -> str:
    return next(colour for start, colour, label in LAYER_COLOURS if row.kind.startswith(start))


def radii_figure(rows: Sequence[RadiusRow], title: str) -> Figure:
    """For each picture the certified and the found radius (l2 of [0,1] pixels, log scale); between them nothing is known."""
    figure, axes = open_axes(_("pictures, by the radius found"), _("l2 of the change"), title)
    axes.set_ylim(0.5, 2)
    axes.set_yscale("log")
    axes.autoscale()
    axes.yaxis.set_major_formatter(LogFormatterSciNotation())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    ordered = sorted(rows, key=lambda row: row.found or math.inf)
    places = range(1, len(ordered) + 1)
    both = [(x, row.certified, row.found) for x, row in zip(places, ordered, strict=True) if row.found and row.certified > 0]
    if both:
        x, low, high = zip(*both, strict=True)
        axes.vlines(x, low, high, color=GREY, alpha=0.35, lw=7, label=_("nothing is proved"))
        axes.plot(x, high, "v", color=RED, markersize=9, label=_("DeepFool alters the label"))
    certified = [(x, row.certified) for x, row in zip(places, ordered, strict=True) if 0 < row.certified < math.inf]
    if certified:
        axes.plot(*zip(*certified, strict=True), "^", color=BLUE, markersize=9, label=_("below: certified"))
    add_legend(axes)
    return figure
