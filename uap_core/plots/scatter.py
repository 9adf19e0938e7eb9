"""Dots that never hide each other, with their names beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from uap_core.plots.axes import GREY

RADIUS = 7.0  # of a dot with its rim, in pixels of the figure
SPREAD = 2.6 * RADIUS  # how far the middles of two dots stay apart


@dataclass(frozen=True)
class Dot:
    """A dot at ``x``, ``y`` (data units) with its ``name``; a filled one in ``colour``, or a ring."""

    x: float
    y: float
    name: str
    colour: str
    filled: bool


def draw_dots(axes: Axes, dots: Sequence[Dot]) -> None:
    """Draw them, moved sideways as little as keeps them apart, and name each where the name covers nothing.

    Limits, scales and the place of ``axes`` must be set: places are chosen in pixels.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    canvas = FigureCanvasAgg(figure)
    places = spread([tuple(axes.transData.transform((dot.x, dot.y))) for dot in dots])
    taken = [Bbox.from_extents(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in places]
    for dot, place in zip(dots, places, strict=True):
        x, y = axes.transData.inverted().transform(place)
        face = dot.colour if dot.filled else "white"
        axes.plot([x], [y], "o", color=dot.colour, markerfacecolor=face, markersize=9, markeredgewidth=1.8, label=dot.name)
    for dot, place in zip(dots, places, strict=True):
        text = axes.annotate(
            dot.name,
            place,
            place,
            xycoords="figure pixels",
            textcoords="figure pixels",
            va="center",
            fontsize=11,
            parse_math=False,
        )
        box = text.get_window_extent(canvas.get_renderer())
        offset = _free(place, box.width, box.height, taken, axes.get_window_extent())
        corner = place[0] + offset[0], place[1] + offset[1]
        text.remove()
        taken.append(Bbox.from_bounds(corner[0], corner[1] - box.height / 2, box.width, box.height))
        _name(axes, dot, place, corner, box.width)


def spread(places: Sequence[tuple[float, float]], least: float = SPREAD) -> list[tuple[float, float]]:
    """Places (pixels) moved sideways, the first ones least, until any two are ``least`` apart."""
    found: list[tuple[float, float]] = []
    for x, y in places:
        steps = (sign * least * step / 4 for step in range(400) for sign in (1, -1))
        tried = ((x + step, y) for step in steps)
        found.append(next(place for place in tried if all(math.dist(place, other) >= least for other in found)))
    return found


def _free(place: tuple[float, float], width: float, height: float, taken: Sequence[Bbox], frame: Bbox) -> tuple[float, float]:
    """Where the left end of a name (the middle of its height) may stand beside ``place``: the nearest that covers nothing."""
    for dx, dy in _around(width, height):
        left, low = place[0] + dx, place[1] + dy - height / 2
        box = Bbox.from_bounds(left, low, width, height)
        inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
        if inside and not any(box.overlaps(other) for other in taken):
            return dx, dy
    return RADIUS + 4, 0.0


def _around(width: float, height: float) -> Iterator[tuple[float, float]]:
    """Offsets to try, near ones first: right, left, above, below, and further out."""
    for away in range(1, 12):
        gap, rise = RADIUS + 4 + 10 * (away - 1), RADIUS + height / 2 + 2 + 10 * (away - 1)
        yield gap, 0.0
        yield -gap - width, 0.0
        for dy in (rise, -rise):
            yield from ((-width / 2, dy), (gap, dy), (-gap - width, dy))


def _name(axes: Axes, dot: Dot, place: tuple[float, float], corner: tuple[float, float], width: float) -> None:
    """The name, in points from its dot, so that it stays there at any size; a thin line where it stands further away."""
    scale = 72 / axes.figure.dpi
    dx, dy = ((corner[i] - place[i]) * scale for i in (0, 1))
    at = tuple(axes.transData.inverted().transform(place))
    nearest = max(abs(dy), min(abs(dx), abs(dx + width * scale)) if dx > 0 or dx + width * scale < 0 else 0.0)
    line = {"arrowstyle": "-", "color": GREY, "lw": 0.7, "shrinkB": 4} if nearest > 22 else None
    axes.annotate(
        dot.name, at, (dx, dy), textcoords="offset points", va="center", fontsize=11, parse_math=False, arrowprops=line
    )
