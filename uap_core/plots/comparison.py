"""Attacks made for one photograph: how small a change each found, and what it cost. A few are bars, many are dots."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from uap_core.attacks.menu import HELD, SIGNS, UNIVERSAL, attack_name
from uap_core.experiments.compare import Contender
from uap_core.i18n import _, ngettext
from uap_core.norms import to_levels
from uap_core.plots.axes import LOW, NOISE, ONE_PICTURE, PATTERN, SIZE, add_legend, dress, open_axes
from uap_core.plots.scatter import Dot, draw_dots

COLOURS = {UNIVERSAL: PATTERN, SIGNS: NOISE}  # others were made for the picture
SAID = (
    (_("made for this picture, fooled"), _("made for this picture, held")),
    (_("the same for every picture, fooled"), _("the same for every picture, held")),
)
NOISE_SAID = (_("random noise, fooled"), _("random noise, held"))
FEW = 4  # attacks that are bars beside each other; more are dots over what they cost


def comparison_figure(contenders: Sequence[Contender], title: str) -> Figure:
    """l2 of the change: of a few attacks a bar each, of more a dot each, over the passes through the network that it took.

    Full ones fooled, hollow ones held. Colours are those of other charts: the universal pattern, random noise, and attacks that
    were made for this picture.
    """
    moved = [row for row in contenders if row.l2 > 0]
    return _bars(moved, title) if 0 < len(moved) <= FEW else _dots(contenders, title)


def _bars(rows: Sequence[Contender], title: str) -> Figure:
    """The lengths beside each other, and above each what it took."""
    figure, axes = open_axes("", _("length of the change\n(l2, 0-255)"), title)
    figure.set_gid(LOW)
    for colour, face, label, mine in _kinds(rows):
        heights = [to_levels(row.l2) for row in mine]
        inside = "none" if face == "white" else face  # no white slab where the page is dark
        axes.bar([rows.index(row) for row in mine], heights, 0.45, color=inside, edgecolor=colour, linewidth=1.8, label=label)
    for place, row in enumerate(rows):
        passes, outcome = row.gradients + row.queries, _("held") if row.verdict == HELD else _("fooled")
        said = ngettext("{outcome}, {count} pass", "{outcome}, {count} passes", passes).format(outcome=outcome, count=passes)
        axes.annotate(said, (place, to_levels(row.l2)), (0, 6), textcoords="offset points", ha="center", fontsize=11)
    axes.set_xticks(range(len(rows)), [fill(attack_name(row.key), 14) for row in rows])
    axes.set(xlim=(-0.6, max(2, len(rows) - 1) + 0.6), ylim=(0, 1.25 * max(to_levels(row.l2) for row in rows)))
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.grid(axis="x", visible=False)
    add_legend(axes)
    return figure


def _dots(contenders: Sequence[Contender], title: str) -> Figure:
    """Length against cost. Dots at the same place are moved apart sideways."""
    figure = Figure(figsize=SIZE, dpi=110)  # laid out by hand: dots and names are placed in pixels, and stay where they are
    axes = figure.add_axes((0.1, 0.24, 0.88, 0.68))
    axes.set_title(title, fontsize=14, loc="left", parse_math=False)
    dress(axes, _("passes through the network, forward and backward"), _("length of the change (l2, 0-255)"))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.autoscale()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FormatStrFormatter("%g"))
        axis.set_minor_formatter(NullFormatter())
    there = sorted((row for row in contenders if row.l2 > 0), key=lambda row: row.l2, reverse=True)
    if not there:
        axes.set(xlim=(1, 100), ylim=(1, 100))  # a log scale cannot be drawn without
        return figure
    lengths, passes = [to_levels(row.l2) for row in there], [row.gradients + row.queries for row in there]
    axes.set_ylim(min(lengths) / 2, max(lengths) * 2)
    axes.set_xlim(max(0.5, min(passes)) / 2, max(passes) * 4)  # room for the names on the right
    _explain(figure, there)
    draw_dots(axes, [_dot(row) for row in there])
    return figure


def _dot(row: Contender) -> Dot:
    colour, passes = COLOURS.get(row.key, ONE_PICTURE), row.gradients + row.queries
    return Dot(max(0.5, passes), to_levels(row.l2), attack_name(row.key), colour, row.verdict != HELD)


def _kinds(rows: Sequence[Contender]) -> list[tuple[str, str, str, list[Contender]]]:
    """Colour, filling and name of each kind of attack that occurs, and the attacks of it."""
    kinds: dict[tuple[str, str, str], list[Contender]] = {}
    for row in rows:
        colour, held = COLOURS.get(row.key, ONE_PICTURE), row.verdict == HELD
        name = (NOISE_SAID if row.key == SIGNS else SAID[row.key in COLOURS])[held]
        kinds.setdefault((colour, "white" if held else colour, name), []).append(row)
    return [(*kind, alike) for kind, alike in kinds.items()]


def _explain(figure: Figure, rows: Sequence[Contender]) -> None:
    """What colours and rings mean, as far as they occur."""
    handles = [
        Line2D([], [], marker="o", ls="", color=colour, markerfacecolor=face, markersize=9, markeredgewidth=1.8, label=label)
        for colour, face, label, _alike in _kinds(rows)
    ]
    figure.legend(handles=handles, fontsize=12, loc="lower center", ncols=2, frameon=False)
