"""What all figures share: size, colours, axes with their title and legend, bars and lines of rates, names kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from uap_core.io.results import mean_rate, outer_ends
from uap_core.metrics import Rate

# Okabe and Ito's palette, told apart by colour-blind viewers too; markers differ as well.
BLUE, SKY, GREEN, GREY, RED = "#0072B2", "#56B4E9", "#009E73", "#6B7280", "#D55E00"
PATTERN, NOISE, ONE_PICTURE = RED, GREY, "#7E3FA0"  # the universal pattern, random noise, attacks made for one picture
CRAFTED_ANEW = "#7F1D1D"  # a universal pattern by one who knows the defence
SIZE = (8.0, 4.6)  # inches
LOW = "low"  # the gid of a figure that is lower on the page


def open_axes(x_label: str, y_label: str, title: str) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, dressed, and its title above them on the left."""
    figure = Figure(figsize=SIZE, dpi=110, layout="constrained")
    axes = figure.add_subplot()
    # Names are text, not formulas: a pattern may well be called "$\x$".
    axes.set_title(fill(title, 66), fontsize=14, loc="left", parse_math=False)
    dress(axes, x_label, y_label)
    return figure, axes


def open_pair(x_label: str, left_label: str, right_label: str, title: str) -> tuple[Figure, Axes, Axes]:
    """A figure with two pairs of axes side by side, over the same whole numbers; heights are numbers, not shares."""
    figure = Figure(figsize=SIZE, dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2)
    left.set_title(title, fontsize=14, loc="left", parse_math=False)
    for axes, label in ((left, left_label), (right, right_label)):
        dress(axes, x_label, label)
        axes.set_ylim(auto=True)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    return figure, left, right


def dress(axes: Axes, x_label: str, y_label: str) -> None:
    """Name both axes, in large letters; the vertical one goes from 0 to 100 %, for shares in [0, 1]."""
    axes.set_xlabel(x_label, fontsize=14)
    axes.set_ylabel(y_label, fontsize=14)
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.tick_params(labelsize=12)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def add_legend(axes: Axes) -> None:
    """A legend of all that is named on ``axes``, below them in two columns; none where nothing is named."""
    if axes.get_legend_handles_labels()[0]:
        # Beside the lines, not on them.
        plain_texts(axes.figure.legend(fontsize=12, loc="outside lower center", ncols=2, frameon=False))


def plain_texts(legend: Legend) -> None:
    """Write the names in ``legend`` as they are: between two dollar signs of a visitor's name there is no formula."""
    for text in legend.get_texts():
        text.set_parse_math(False)


def draw_bars(axes: Axes, x: Sequence[float], width: float, rates: Sequence[Rate], colour: str, label: str) -> None:
    """A bar a rate, its 95 % Wilson interval as a line, its per cent above that."""
    draw_mean_bars(axes, x, width, [[rate] for rate in rates], colour, label)


def draw_mean_bars(
    axes: Axes, x: Sequence[float], width: float, rates: Sequence[Sequence[Rate]], colour: str, label: str
) -> None:
    """The same for several seeds on one set: their mean, and the outer ends of their intervals."""
    values = [mean_rate(several) for several in rates]
    low, high = zip(*map(outer_ends, rates), strict=True)
    axes.bar(x, values, width * 0.92, color=colour, label=label)
    axes.vlines(x, low, high, color="black", lw=1)
    for at, end, value in zip(x, high, values, strict=True):
        axes.annotate(f"{100 * value:.0f}", (at, end), (0, 2), textcoords="offset points", ha="center", fontsize=9)


def draw_rates(axes: Axes, x: Sequence[float], rates: Sequence[Rate], colour: str, marker: str, label: str) -> None:
    """A line through rates, with their 95 % Wilson intervals as a band."""
    low, high = [rate.interval[0] for rate in rates], [rate.interval[1] for rate in rates]
    axes.plot(x, [rate.value for rate in rates], color=colour, marker=marker, lw=2.2, label=label)
    axes.fill_between(x, low, high, color=colour, alpha=0.13, lw=0)


def apart(heights: Sequence[float], least: float) -> list[float]:
    """Ascending heights in [0, 1] moved up, and then down from the top, until neighbours are ``least`` apart."""
    found: list[float] = []
    for height in heights:
        found.append(max(height, found[-1] + least) if found else height)
    top = 1.0
    for place in range(len(found) - 1, -1, -1):
        found[place] = min(found[place], top)
        top = found[place] - least
    return found
