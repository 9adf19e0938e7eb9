"""Figures from rows, large enough for the back row of a lecture hall. The only module that imports matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from uap_core.attacks.menu import HELD
from uap_core.experiments.comparison import Contender
from uap_core.experiments.convergence import ConvergenceRow
from uap_core.experiments.sample_curve import PAPER_FIGURE_6, SampleRow
from uap_core.experiments.sweep import RANDOM, SINGLE, UNIVERSAL, PhotoRow, SweepRow
from uap_core.tables import mean_rate
from uap_core.training.recipe import EpochRow

# Okabe and Ito's palette, told apart by colour-blind viewers too; markers differ as well.
BLUE, ORANGE, GREEN, GREY, RED = "#0072B2", "#E69F00", "#009E73", "#6B7280", "#D55E00"
STYLES = {UNIVERSAL: (RED, "o", "-"), RANDOM: (GREY, "s", "--"), SINGLE: (BLUE, "^", "-")}
SIZE = (8.0, 4.6)


@dataclass(frozen=True)
class Curve:
    """Finished rows of a sample curve with the words of its legend."""

    rows: Sequence[SampleRow]
    label: str
    colour: str
    marker: str = "o"


def sweep_figure(rows: Sequence[SweepRow], title: str) -> Figure:
    """Fooling rate against epsilon, a line an attack, with 95 % Wilson intervals as bands."""
    figure, axes = _axes("epsilon (of 255)", "fooling rate", title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for attack, (colour, marker, line) in STYLES.items():
        mine = [row for row in rows if row.attack == attack]
        if mine:
            x = [row.epsilon * 255 for row in mine]
            axes.plot(x, [row.fooling_rate.value for row in mine], line, color=colour, marker=marker, label=attack, lw=2.2)
            low, high = zip(*(row.fooling_rate.interval for row in mine), strict=True)
            axes.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
    _legend(axes)
    return figure


def photo_figure(rows: Sequence[PhotoRow], title: str) -> Figure:
    """Probability of the clean and of the new label against epsilon, for one photograph."""
    figure, axes = _axes("epsilon (of 255)", "probability", title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    x = [row.epsilon * 255 for row in rows]
    axes.plot(x, [row.clean_probability for row in rows], "-o", color=BLUE, lw=2.2, label=f"{rows[0].clean_label} (clean)")
    axes.plot(x, [row.new_probability for row in rows], "-s", color=RED, lw=2.2, label=f"{rows[0].new_label} (new)")
    changed = [row.predicted != row.clean_label for row in rows]
    if any(changed):
        axes.fill_between(x, 0, 1, where=changed, color=RED, alpha=0.07, lw=0, label="prediction changed")
    _legend(axes)
    return figure


def sample_figure(curves: Sequence[Curve], title: str, paper: bool = True, random_signs: float | None = None) -> Figure:
    """Fooling rate on the held-out set against the number of craft images (log scale), intervals drawn as bars.

    ``random_signs`` is the rate (0 to 1) of random signs of the same norm on the same set, drawn as a line to compare with.
    """
    figure, axes = _axes("images to craft on", "fooling rate, held-out", title)
    for curve in curves:
        sizes, values, low, high = _by_size(curve.rows)
        axes.errorbar(
            sizes, values, yerr=[low, high], color=curve.colour, marker=curve.marker, lw=2.2, capsize=4, label=curve.label
        )
    if paper:
        x, y = zip(*PAPER_FIGURE_6, strict=True)
        axes.plot(x, y, ":d", color=GREY, lw=2, label="the paper: GoogLeNet, its DeepFool method")
    if random_signs is not None:
        axes.axhline(random_signs, color=GREY, ls="--", lw=1.8, label="random signs of the same size")
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:.0f}")
    known = {row.images for curve in curves for row in curve.rows if row.held_out_rate}
    if len(known) == 1 and not paper:  # room for its own tick alone: half an image would be labelled 0
        (size,) = known
        axes.set_xlim(size / 1.6, size * 1.6)
    _legend(axes)
    return figure


def _by_size(rows: Sequence[SampleRow]) -> tuple[list[int], list[float], list[float], list[float]]:
    """Mean over seeds for each size, with the distances to the lowest and highest end of their intervals."""
    rows = [row for row in rows if row.held_out_rate]
    sizes = sorted({row.images for row in rows})
    values, low, high = [], [], []
    for size in sizes:
        rates = [row.held_out_rate for row in rows if row.images == size and row.held_out_rate]
        mean = mean_rate(rates)
        values.append(mean)
        low.append(max(0.0, mean - min(rate.interval[0] for rate in rates)))
        high.append(max(0.0, max(rate.interval[1] for rate in rates) - mean))
    return sizes, values, low, high


METHOD_STYLES = {
    "default": (BLUE, "o", "ours"),
    "cosine": (ORANGE, "s", "Cos-UAP"),
    "margin": (GREEN, "^", "DF-UAP"),
    "spgd": (RED, "v", "SPGD"),
    "sga": ("#CC79A7", "D", "SGA"),
    "deepfool": (GREY, "P", "DeepFool, in batches"),
    "singular": ("#56B4E9", "X", "SV-UAP"),
}


def convergence_figure(rows: Sequence[ConvergenceRow], title: str) -> Figure:
    """Held-out fooling rate against image-gradients (log scale), a line a method, named at its end."""
    figure, axes = _axes("image-gradients spent", "fooling rate, held-out", title)
    ends = []
    for method, (colour, marker, label) in METHOD_STYLES.items():
        mine = [row for row in rows if row.method == method]
        if mine:
            spent, rates = [row.image_gradients for row in mine], [row.held_out_rate.value for row in mine]
            axes.plot(spent, rates, color=colour, marker=marker, lw=2.2)
            ends.append((rates[-1], spent[-1], f"{label} {rates[-1]:.0%}", colour))
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:.0f}")
    if ends:
        reach = max(x for _, x, _, _ in ends)
        for height, (rate, x, label, colour) in zip(_apart([end[0] for end in sorted(ends)], 0.055), sorted(ends), strict=True):
            axes.annotate(
                label,
                (x, rate),
                (reach * 1.15, height),
                color=colour,
                fontsize=12,
                va="center",
                arrowprops={"arrowstyle": "-", "color": colour, "alpha": 0.4},
                annotation_clip=False,
            )
        axes.set_xlim(right=reach * 3.2)
    return figure


def _apart(heights: Sequence[float], least: float) -> list[float]:
    """Ascending heights moved up, and then down from the top, until neighbours are ``least`` apart."""
    found: list[float] = []
    for height in heights:
        found.append(max(height, found[-1] + least) if found else height)
    top = 1.0
    for place in range(len(found) - 1, -1, -1):
        found[place] = min(found[place], top)
        top = found[place] - least
    return found


def comparison_figure(contenders: Sequence[Contender], title: str) -> Figure:
    """l2 of the change against the passes through the network that it took, a point an attack, its name at the side."""
    figure, axes = _axes("forward and backward passes", "l2 of the change (0-255)", title)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.autoscale()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FormatStrFormatter("%g"))
        axis.set_minor_formatter(NullFormatter())
    there = sorted((row for row in contenders if row.l2 > 0), key=lambda row: row.l2)
    if not there:
        return figure
    lengths, passes = [row.l2 * 255 for row in there], [row.gradients + row.queries for row in there]
    axes.set_ylim(min(lengths) / 1.6, max(lengths) * 1.6)
    axes.set_xlim(min(passes) / 1.6, max(passes) * 1.6)
    fooled, held = [row for row in there if row.verdict != HELD], [row for row in there if row.verdict == HELD]
    for rows, colour, face, label in ((fooled, RED, RED, "fooled"), (held, GREY, "white", "held")):
        if rows:
            places = [row.gradients + row.queries for row in rows], [row.l2 * 255 for row in rows]
            axes.plot(*places, "o", color=colour, markerfacecolor=face, markersize=9, label=label)
    heights = [axes.transAxes.inverted().transform(axes.transData.transform((1, length)))[1] for length in lengths]
    line = {"arrowstyle": "-", "color": GREY, "lw": 0.7}
    for row, at, height in zip(there, zip(passes, lengths, strict=True), _apart(heights, 0.075), strict=True):
        axes.annotate(row.name, at, (1.03, height), textcoords="axes fraction", va="center", fontsize=11, arrowprops=line)
    _legend(axes)
    return figure


def training_figure(rows: Sequence[EpochRow], title: str) -> Figure:
    """Validation accuracy against the epoch: the training curve of an embedded network."""
    figure, axes = _axes("epoch", "accuracy on validation images", title)
    epochs = [row.epoch for row in rows]
    axes.plot(epochs, [row.top5 for row in rows], color=GREEN, lw=2.2, label=f"top-5, at last {rows[-1].top5:.1%}")
    axes.plot(epochs, [row.top1 for row in rows], color=BLUE, lw=2.2, label=f"top-1, at last {rows[-1].top1:.1%}")
    _legend(axes)
    return figure


def _axes(x_label: str, y_label: str, title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(fill(title, 66), fontsize=14, loc="left")
    axes.set_xlabel(x_label, fontsize=14)
    axes.set_ylabel(y_label, fontsize=14)
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.tick_params(labelsize=12)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.figure.legend(fontsize=12, loc="outside lower center", ncols=2, frameon=False)  # beside the lines, not on them
