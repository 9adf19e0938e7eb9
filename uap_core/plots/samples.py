"""How many images does it take: the fooling rate against the number of craft images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from uap_core.experiments.sample_curve import PAPER_FIGURE_6, SampleRow
from uap_core.i18n import _
from uap_core.io.results import mean_rate, outer_ends
from uap_core.plots.axes import BLUE, GREY, add_legend, open_axes
from uap_core.plots.points import LIVE

SHADE = "#9ca3af"  # of no line, so that nobody takes it for an interval


@dataclass(frozen=True)
class Curve:
    """Finished rows of a sample curve with the words of its legend."""

    rows: Sequence[SampleRow]
    label: str
    colour: str
    marker: str = "o"


def sample_figure(
    curves: Sequence[Curve],
    title: str,
    paper: bool = True,
    random_signs: float | None = None,
    live: Curve | None = None,
    gap: bool = False,
) -> Figure:
    """Fooling rate on the held-out set against the number of craft images (log scale), intervals drawn as bars.

    ``random_signs`` is the rate (0 to 1) of random signs of the same norm on the same set, drawn as a line to compare with.
    With ``gap`` the first curve's rate on the very images that the patterns were crafted on is drawn beside it, the difference
    between the two shaded. ``live`` are points over the curves, with no line through them.
    """
    figure, axes = open_axes(_("images it is made from"), _("fooling rate"), title)
    for curve in curves:
        sizes, values, low, high = _by_size(curve.rows)
        axes.errorbar(
            sizes, values, yerr=[low, high], color=curve.colour, marker=curve.marker, lw=2.2, capsize=4, label=curve.label
        )
    if curves and gap:
        _gap(axes, curves[0])
    if paper:
        x, y = zip(*PAPER_FIGURE_6, strict=True)
        axes.plot(x, y, ":d", color=GREY, lw=2, label=_("the paper: GoogLeNet, its DeepFool method"))
    if random_signs is not None:
        axes.axhline(random_signs, color=GREY, ls="--", lw=1.8, label=_("random noise of the same strength"))
    if live is not None and live.rows:
        sizes, values, low, high = _by_size(live.rows)
        drawn = axes.errorbar(sizes, values, yerr=[low, high], color=live.colour, ls="", lw=1.4, capsize=4, label=live.label)
        drawn.lines[0].set(marker="D", markersize=10, markerfacecolor="none", markeredgewidth=2)
        drawn.lines[0].set_gid(LIVE + _("pattern"))
        curves = [*curves, live]
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:.0f}")
    known = {row.images for curve in curves for row in curve.rows if row.held_out_rate}
    if len(known) == 1 and not paper:  # room for its own tick alone: half an image would be labelled 0
        (size,) = known
        axes.set_xlim(size / 1.6, size * 1.6)
    add_legend(axes)
    return figure


def _gap(axes: Axes, curve: Curve) -> None:
    """The rate on the craft images themselves, dashed, and what of it other images do not see."""
    rows = [row for row in curve.rows if row.held_out_rate and row.craft_rate]
    sizes = sorted({row.images for row in rows})
    craft, held_out = (
        [mean_rate([getattr(row, name) for row in rows if row.images == size]) for size in sizes]
        for name in ("craft_rate", "held_out_rate")
    )
    axes.plot(sizes, craft, "--", color=BLUE, lw=1.6, marker="x", label=_("on the images it was made from"))
    axes.fill_between(sizes, held_out, craft, color=SHADE, alpha=0.2, lw=0)


def _by_size(rows: Sequence[SampleRow]) -> tuple[list[int], list[float], list[float], list[float]]:
    """Mean over seeds for each size, with the distances to the lowest and highest end of their intervals."""
    rows = [row for row in rows if row.held_out_rate]
    sizes = sorted({row.images for row in rows})
    values, low, high = [], [], []
    for size in sizes:
        rates = [row.held_out_rate for row in rows if row.images == size and row.held_out_rate]
        mean, (lowest, highest) = mean_rate(rates), outer_ends(rates)
        values.append(mean)
        low.append(max(0.0, mean - lowest))
        high.append(max(0.0, highest - mean))
    return sizes, values, low, high
