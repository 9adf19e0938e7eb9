"""Where the labels go: the graph from each label to the one it mostly becomes."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, TextArea, VPacker

from uap_core.experiments import label_graph as dominant
from uap_core.i18n import _, ngettext
from uap_core.plots.axes import GREY, RED

# The graph of labels is laid out in inches: a large star with names on both sides, then rows of two with names on the left.
WIDTH, LINE, HEAD, GAP = 9.4, 0.26, 1.1, 0.3
LARGE_NAMES, SMALL_NAMES, STARS, NAME_LENGTH = 18, 5, 5, 22


def labels_figure(moves: Sequence[dominant.Move], title: str) -> Figure:
    """The graph from each label to the one it mostly becomes: the dominant labels, each surrounded by the labels that become
    it.

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
    shares = _("The most frequent label takes {one} of all images, three take {three}, ten {ten}").format(
        one=one, three=three, ten=ten
    )
    left_out = _("; {count} more hubs are not drawn").format(count=len(stars) - len(shown)) if len(stars) > len(shown) else ""
    axes.text(0.15, total - 0.3, title, fontsize=14, va="center", parse_math=False)
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
        names.append((_("and {count} more").format(count=len(into) - len(kept)), 0.0))
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
    labels = ngettext("{count} label", "{count} labels", len(into)).format(count=len(into))
    becoming = ngettext("{count} image", "{count} images", images).format(count=images)
    count = f"{labels}, {becoming}"
    looks = {"color": "white", "multialignment": "center"}
    name = TextArea(fill(hub, 16), textprops={**looks, "fontsize": 18 if large else 14, "weight": "bold"})
    below = TextArea(count, textprops={**looks, "fontsize": 12 if large else 11})
    style = {"boxstyle": "round,pad=0.4", "facecolor": RED, "edgecolor": "none"}
    return AnnotationBbox(VPacker(children=[name, below], align="center", sep=3), middle, bboxprops=style)


def _short(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"
