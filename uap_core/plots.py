"""Figures from rows, large enough for the back row of a lecture hall. The only module that imports matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, TextArea, VPacker
from matplotlib.ticker import (
    FormatStrFormatter,
    LogFormatterSciNotation,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    PercentFormatter,
)

from uap_core.attacks.menu import HELD
from uap_core.experiments import directions, dominant, normals
from uap_core.experiments.comparison import Contender
from uap_core.experiments.convergence import ConvergenceRow
from uap_core.experiments.defences import DefenceRow
from uap_core.experiments.detector import DetectorRow
from uap_core.experiments.fine_tuning import PAPER_SECTION_4, RoundRow
from uap_core.experiments.lipschitz import LayerRow, RadiusRow
from uap_core.experiments.sample_curve import PAPER_FIGURE_6, SampleRow
from uap_core.experiments.sweep import RANDOM, SINGLE, UNIVERSAL, PhotoRow, SweepRow
from uap_core.metrics import Rate
from uap_core.models.twins import ROBUST
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
    _dress(axes, x_label, y_label)
    return figure, axes


def _dress(axes: Axes, x_label: str, y_label: str) -> None:
    axes.set_xlabel(x_label, fontsize=14)
    axes.set_ylabel(y_label, fontsize=14)
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.tick_params(labelsize=12)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.figure.legend(fontsize=12, loc="outside lower center", ncols=2, frameon=False)  # beside the lines, not on them


FOOLED_BY = {
    "fixed": (ORANGE, "fooled by the fixed pattern"),
    "crafted_anew": (RED, "fooled by one crafted anew through it"),
    "random_signs": (GREY, "fooled by random signs"),
}


def defences_figure(rows: Sequence[DefenceRow], title: str) -> Figure:
    """A group of bars a defence: its clean figure and its three fooling rates, in per cent, with 95 % Wilson intervals."""
    figure, axes = _axes("in front of the network, or in its place", "share of the images", title)
    clean = {"clean": (BLUE, f"clean: {' / '.join(dict.fromkeys(row.clean_is for row in rows))}")}
    width = 0.2
    for place, (name, (colour, label)) in enumerate((clean | FOOLED_BY).items()):
        x = [group + (place - 1.5) * width for group in range(len(rows))]
        _bars(axes, x, width, [getattr(row, name) for row in rows], colour, label)
    axes.set_xticks(range(len(rows)), [fill(row.defence, 11) for row in rows], fontsize=10)
    axes.set_ylim(0, 1.05)
    axes.grid(axis="x", visible=False)
    _legend(axes)
    return figure


def _bars(axes: Axes, x: Sequence[float], width: float, rates: Sequence[Rate], colour: str, label: str) -> None:
    """A bar a rate, its 95 % Wilson interval as a line, its per cent above that."""
    values = [rate.value for rate in rates]
    low, high = zip(*(rate.interval for rate in rates), strict=True)
    axes.bar(x, values, width * 0.92, color=colour, label=label)
    axes.vlines(x, low, high, color="black", lw=1)
    for at, end, value in zip(x, high, values, strict=True):
        axes.annotate(f"{100 * value:.0f}", (at, end), (0, 2), textcoords="offset points", ha="center", fontsize=9)


ROUND_STYLES = {
    "clean_accuracy": (BLUE, "clean: right answers"),
    "first_pattern": (ORANGE, "fooled by the first pattern"),
    "new_pattern": (RED, "fooled by one crafted anew"),
}


def rounds_figure(rows: Sequence[RoundRow], title: str) -> Figure:
    """A group of bars a round of fine-tuning, as in ``defences_figure``; beside it what the paper has for a new pattern."""
    figure, axes = _axes("rounds of fine-tuning", "share of the images", title)
    width = 0.2
    for place, (name, (colour, label)) in enumerate(ROUND_STYLES.items()):
        x = [row.round + (place - 1.5) * width for row in rows]
        _bars(axes, x, width, [getattr(row, name) for row in rows], colour, label)
    theirs, label = PAPER_SECTION_4[: len(rows)], "the paper: one crafted anew on VGG-F"
    drawn = axes.bar(
        [number + 1.5 * width for number in range(len(theirs))], theirs, width * 0.92, color=GREY, alpha=0.5, label=label
    )
    axes.bar_label(drawn, [f"{100 * value:.0f}" for value in theirs], padding=2, fontsize=9)
    axes.set_xticks([row.round for row in rows])
    axes.set_ylim(0, 1.05)
    axes.grid(axis="x", visible=False)
    _legend(axes)
    return figure


def twins_figure(curves: Mapping[str, Sequence[EpochRow]], title: str) -> Figure:
    """Training loss, and accuracy on clean validation images, side by side against the epoch, a line a twin, by its name."""
    figure = Figure(figsize=SIZE, dpi=110, layout="constrained")
    figure.suptitle(fill(title, 66), fontsize=14)
    losses, accuracies = figure.subplots(1, 2)
    _dress(losses, "epoch", "loss on what it meets")
    _dress(accuracies, "epoch", "clean top-1, validation images")
    losses.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    losses.set_ylim(0, 1.08 * max((row.loss for rows in curves.values() for row in rows), default=1))
    for twin, rows in curves.items():
        colour, marker = (BLUE, "o") if twin == ROBUST else (RED, "s")
        epochs = [row.epoch for row in rows]
        losses.plot(epochs, [row.loss for row in rows], color=colour, marker=marker, lw=2.2, label=twin)
        accuracies.plot(epochs, [row.top1 for row in rows], color=colour, marker=marker, lw=2.2)
    _legend(losses)
    return figure


DETECTED_STYLES = ((RED, "o"), (GREY, "s"), (BLUE, "^"), (GREEN, "v"), (ORANGE, "D"))


def detector_figure(rows: Sequence[DetectorRow], title: str) -> Figure:
    """Share of attacked images detected against the share of clean ones that are taken for attacked, a line an attack."""
    figure, axes = _axes("clean images that raise the alarm", "attacked images that do", title)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.plot([0, 1], [0, 1], ":", color=GREY, lw=1.5)
    for attack, (colour, marker) in zip(dict.fromkeys(row.attack for row in rows), DETECTED_STYLES, strict=False):
        mine = [row for row in rows if row.attack == attack]
        label = f"{attack}, AUC {mine[0].auc:.2f} ({mine[0].auc_low:.2f}-{mine[0].auc_high:.2f})"
        x, y = [row.false_alarms.value for row in mine], [row.detected.value for row in mine]
        axes.plot(x, y, color=colour, marker=marker, markersize=4, lw=2.2, label=label)
    _legend(axes)
    return figure


LAYER_COLOURS = (("convolution", BLUE, "convolutions"), ("fully connected", GREEN, "fully connected"), ("", GREY, "others"))


def layers_figure(rows: Sequence[LayerRow], title: str) -> Figure:
    """A bar a layer, on a log scale about 1: its bound; a mark on it where the power method was run at the real size."""
    figure, axes = _axes("", "stretch, at most", title)
    axes.set_ylim(0.5, 2)
    axes.set_yscale("log")
    there = [row for row in rows if row.bound and math.isfinite(row.bound)]
    axes.autoscale()
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    for _, colour, label in LAYER_COLOURS:
        mine = [i for i, row in enumerate(there) if _layer_colour(row) == colour]
        bounds = [there[i].bound or 1.0 for i in mine]
        if mine:
            axes.bar(mine, [bound - 1 for bound in bounds], 0.8, bottom=1, color=colour, label=label)
    real = [(i, row.real) for i, row in enumerate(there) if row.real]
    if real:
        axes.plot(*zip(*real, strict=True), "_", color="black", markersize=7, mew=1.6, label="power method, real size")
    axes.axhline(1, color="black", lw=0.8)
    every = max(1, math.ceil(len(there) / 30))
    axes.set_xticks(range(0, len(there), every), [row.name for row in there[::every]], rotation=90, fontsize=9)
    axes.grid(axis="x", visible=False)
    _legend(axes)
    return figure


def _layer_colour(row: LayerRow) -> str:
    return next(colour for start, colour, _ in LAYER_COLOURS if row.kind.startswith(start))


def radii_figure(rows: Sequence[RadiusRow], title: str) -> Figure:
    """For each picture the certified and the found radius (l2 of [0,1] pixels, log scale); between them nothing is known."""
    figure, axes = _axes("pictures, by the radius found", "l2 of the change", title)
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
        axes.vlines(x, low, high, color=GREY, alpha=0.35, lw=7, label="nothing is proved")
        axes.plot(x, high, "v", color=RED, markersize=9, label="DeepFool alters the label")
    certified = [(x, row.certified) for x, row in zip(places, ordered, strict=True) if 0 < row.certified < math.inf]
    if certified:
        axes.plot(*zip(*certified, strict=True), "^", color=BLUE, markersize=9, label="below: certified")
    _legend(axes)
    return figure


SINGULAR_STYLES = {normals.NORMALS: (RED, "-"), normals.RANDOM: (GREY, "--")}


def singular_figure(rows: Sequence[normals.SingularRow], title: str) -> Figure:
    """Singular values in falling order, a line for each kind of unit vectors, with the factor by which they fall."""
    figure, axes = _axes("index", "singular value", title)
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    factors = normals.steepness(rows)
    for kind, (colour, line) in SINGULAR_STYLES.items():
        mine = [row for row in rows if row.kind == kind]
        if mine:
            label = f"{kind}: first / last = {factors[kind]:.3g}"
            axes.plot([row.index for row in mine], [row.value for row in mine], line, color=colour, lw=2.6, label=label)
    axes.set_ylim(0, 1.08 * max((row.value for row in rows), default=1))
    _legend(axes)
    return figure


def subspace_figure(rows: Sequence[normals.SubspaceRow], title: str) -> Figure:
    """Fooling rate of random vectors against the dimension of their subspace (log scale); dashed, that of the full space."""
    figure, axes = _axes("dimensions: first singular vectors of the normals", "fooling rate", title)
    lengths = sorted({row.norm for row in rows}, reverse=True)
    for norm, (colour, marker) in zip(lengths, ((RED, "o"), (BLUE, "^")), strict=False):
        named = f"l2 {norm * 255:.0f}/255"
        mine = [row for row in rows if row.norm == norm and row.space == normals.SPAN]
        _rates(axes, [row.dimension for row in mine], [row.fooling_rate for row in mine], colour, marker, f"span, {named}")
        for rate in [row.fooling_rate for row in rows if row.norm == norm and row.space == normals.FULL]:
            axes.axhline(rate.value, color=colour, ls="--", lw=2, label=f"full space, {named}: {rate.value:.0%}")
            axes.axhspan(*rate.interval, color=colour, alpha=0.08, lw=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    _legend(axes)
    return figure


DIRECTION_STYLES = {
    directions.UNIVERSAL: (RED, "o"),
    directions.SUM: (ORANGE, "D"),
    directions.SINGLE: (BLUE, "^"),
    directions.FAST: ("#56B4E9", "v"),
    directions.RANDOM: (GREY, "s"),
    directions.MEAN: (GREEN, "P"),
}


def directions_figure(rows: Sequence[directions.DirectionRow], title: str) -> Figure:
    """Fooling rate against l2 length, a line a direction from the origin, where nobody is fooled, with 95 % Wilson bands."""
    figure, axes = _axes("l2 length (0-255)", "fooling rate", title)
    for direction, (colour, marker) in DIRECTION_STYLES.items():
        mine = [row for row in rows if row.direction == direction]
        if mine:
            rates = [row.fooling_rate for row in mine]
            _rates(axes, [row.norm * 255 for row in mine], rates, colour, marker, direction)
            axes.plot([0, mine[0].norm * 255], [0, rates[0].value], color=colour, lw=2.2)
    _legend(axes)
    return figure


def _rates(axes: Axes, x: Sequence[float], rates: Sequence[Rate], colour: str, marker: str, label: str) -> None:
    """A line through rates, with their 95 % Wilson intervals as a band."""
    low, high = [rate.interval[0] for rate in rates], [rate.interval[1] for rate in rates]
    axes.plot(x, [rate.value for rate in rates], color=colour, marker=marker, lw=2.2, label=label)
    axes.fill_between(x, low, high, color=colour, alpha=0.13, lw=0)


# The graph of labels is laid out in inches: a large star with names on both sides, then rows of two with names on the left.
WIDTH, LINE, HEAD, GAP = 9.4, 0.26, 1.1, 0.3
LARGE_NAMES, SMALL_NAMES, STARS, NAME_LENGTH = 18, 5, 5, 22


def labels_figure(moves: Sequence[dominant.Move], title: str) -> Figure:
    """The graph from each label to the one it mostly becomes: those that swallow most, each amid the names that point at it.

    What finds no room is counted. An arrow is the thicker the larger the share of the label's images that takes it.
    """
    stars = list(dominant.hubs(dominant.edges(moves)).items())
    shown = stars[:STARS]
    rows = [shown[:1], *(shown[place : place + 2] for place in range(1, len(shown), 2))]
    most = [LARGE_NAMES] + [SMALL_NAMES] * (len(rows) - 1)
    lines = [max((min(len(into), n) for _, into in row), default=0) for row, n in zip(rows, most, strict=True)]
    heights = [LINE * max(4, -(-count // (1 + (n == LARGE_NAMES)))) + GAP for count, n in zip(lines, most, strict=True)]
    total = HEAD + sum(heights)
    figure = Figure(figsize=(WIDTH, total), dpi=110)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, total))
    axes.axis("off")
    one, three, ten = (f"{dominant.share_of_top(moves, n).value:.0%}" for n in (1, 3, 10))
    shares = f"The most frequent label takes {one} of all images, three take {three}, ten {ten}"
    left_out = f"; {len(stars) - len(shown)} more hubs are not drawn" if len(stars) > len(shown) else ""
    axes.text(0.15, total - 0.3, title, fontsize=14, va="center")
    axes.text(0.15, total - 0.62, f"{shares}{left_out}.", fontsize=12, va="center", color=GREY)
    y = total - HEAD
    for row, n, height in zip(rows, most, heights, strict=True):
        for place, (hub, into) in enumerate(row):
            if n == LARGE_NAMES:
                _star(axes, hub, into, (WIDTH / 2, y - height / 2), ((2.55, -1), (WIDTH - 2.55, 1)), n)
            else:
                left = place * WIDTH / 2
                _star(axes, hub, into, (left + 3.55, y - height / 2), ((left + 2.0, -1),), n)
        y -= height
    return figure


def _star(
    axes: Axes,
    hub: str,
    into: Sequence[dominant.Edge],
    middle: tuple[float, float],
    sides: Sequence[tuple[float, int]],
    most: int,
) -> None:
    """A hub and its names: ``sides`` are where names end, and on which side of the hub (-1 left, 1 right)."""
    box = _hub(hub, into, middle, large=len(sides) == 2)
    axes.add_artist(box)
    kept = into[:most] if len(into) <= most else into[: most - 1]
    names = [(_short(edge.label), edge.rate.value) for edge in kept]
    if len(kept) < len(into):
        names.append((f"and {len(into) - len(kept)} more", 0.0))
    for number, (end, side) in enumerate(sides):
        mine = names[number :: len(sides)]
        bend = 0.5 if len(sides) == 2 else 0.0  # names on both sides follow the hub's round
        for line, (name, share) in enumerate(mine):
            height = (len(mine) - 1) / 2 - line
            at = end + side * bend * (1 - (2 * height / len(mine)) ** 2), middle[1] + LINE * height
            axes.text(*at, name, fontsize=12, ha="right" if side < 0 else "left", va="center")
            arrow = {"arrowstyle": "-|>", "color": GREY, "lw": 0.5 + 2 * share, "alpha": 0.75, "shrinkA": 0, "shrinkB": 2}
            axes.annotate("", middle, (at[0] - side * 0.07, at[1]), arrowprops={**arrow, "patchB": box.patch})


def _hub(hub: str, into: Sequence[dominant.Edge], middle: tuple[float, float], large: bool) -> AnnotationBbox:
    """A box with a label, and below it how many labels and images become it."""
    images = sum(edge.rate.count for edge in into)
    count = f"{len(into)} label{'s' * (len(into) > 1)}, {images} image{'s' * (images > 1)}"
    looks = {"color": "white", "multialignment": "center"}
    name = TextArea(fill(hub, 16), textprops={**looks, "fontsize": 18 if large else 14, "weight": "bold"})
    below = TextArea(count, textprops={**looks, "fontsize": 12 if large else 11})
    style = {"boxstyle": "round,pad=0.4", "facecolor": RED, "edgecolor": "none"}
    return AnnotationBbox(VPacker(children=[name, below], align="center", sep=3), middle, bboxprops=style)


def _short(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"
