"""Patterns for some classes alone, inside against outside; and how many pictures any of k patterns fools."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from matplotlib.figure import Figure

from uap_core.experiments.class_alone import ALONE, FOR_ALL, KINDS, SIGNS, SidesRow
from uap_core.experiments.several import SeveralRow
from uap_core.i18n import _
from uap_core.metrics import Rate
from uap_core.plots.axes import BLUE, GREEN, GREY, RED, SKY, add_legend, draw_bars, draw_rates, open_axes
from uap_core.plots.points import LIVE, LIVE_COLOUR

PATTERNS = {ALONE: _("made for these alone"), FOR_ALL: _("made for all"), SIGNS: _("random noise")}
LINES = ((GREY, "s"), (SKY, "^"), (GREEN, "D"), (BLUE, "o"), (RED, "v"))


def sides_figure(rows: Sequence[SidesRow], title: str) -> Figure:
    """For each pattern a bar for the pictures of the classes, one for all others and, with a target, one for those that become
    it; 95 % Wilson intervals."""
    figure, axes = open_axes(_("the pattern"), _("share of the pictures"), title)
    ordered = sorted(rows, key=lambda row: KINDS.index(row.kind))
    bars = [(RED, _("of these classes: fooled"), [row.inside for row in ordered])]
    if any(row.target for row in ordered):
        bars.append(
            (GREEN, _("of these classes: turned into the class to reach"), [row.reached or Rate(0, 0) for row in ordered])
        )
    bars.append((GREY, _("of all others: fooled"), [row.outside for row in ordered]))
    width = 0.7 / len(bars)
    for place, (colour, label, rates) in enumerate(bars):
        if rates:
            x = [group + (place - (len(bars) - 1) / 2) * width for group in range(len(rates))]
            draw_bars(axes, x, width, rates, colour, label)
    axes.set_xticks(range(len(ordered)), [fill(PATTERNS[row.kind], 16) for row in ordered])
    axes.set_ylim(0, 1.08)
    axes.grid(axis="x", visible=False)
    add_legend(axes)
    return figure


def several_figure(rows: Sequence[SeveralRow], title: str, live: Sequence[Rate] = (), on: str = "") -> Figure:
    """Share of pictures that any of k patterns fools, a line a strength; ``live`` ones, called ``on``, are diamonds."""
    figure, axes = open_axes(_("number of patterns"), _("pictures that one of them fools"), title)
    for number, epsilon in enumerate(sorted({row.epsilon for row in rows})):
        mine = sorted((row for row in rows if row.epsilon == epsilon), key=lambda row: row.patterns)
        colour, marker = LINES[number % len(LINES)]
        label = _("strength {levels:g} of 255").format(levels=epsilon)
        draw_rates(axes, [row.patterns for row in mine], [row.any_of for row in mine], colour, marker, label)
    if live:
        values, x = [rate.value for rate in live], list(range(1, len(live) + 1))
        low = [max(0.0, rate.value - rate.interval[0]) for rate in live]
        high = [max(0.0, rate.interval[1] - rate.value) for rate in live]
        drawn = axes.errorbar(x, values, yerr=[low, high], color=LIVE_COLOUR, ls="", lw=1.4, capsize=4, label=on)
        drawn.lines[0].set(marker="D", markersize=10, markerfacecolor="none", markeredgewidth=2)
        drawn.lines[0].set_gid(LIVE + _("patterns"))
    most = max([5, len(live), *(row.patterns for row in rows)])
    axes.set_xlim(0.7, most + 0.3)
    axes.set_xticks(range(1, most + 1))
    add_legend(axes)
    return figure
