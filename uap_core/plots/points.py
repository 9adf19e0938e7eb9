"""What a figure's marks stand for: the value, the interval and the place of each, for those who point at them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import FixedLocator, Formatter, PercentFormatter

LIVE, LIVE_COLOUR = "live ", "black"  # of no line; the page draws it in the colour of its text
MOST = 400  # marks of one line that can be pointed at

Span = tuple[float, float]


class Names(Formatter):
    """A name for each of the places 0, 1, 2, ... of an axis, whether a tick is there or not."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The name of the place nearest to ``x``."""
        return self.names[round(x)]


@dataclass(frozen=True)
class Mark:
    """A mark of ``series`` at ``x`` and ``y`` as the axes write them; ``low`` and ``high`` end its interval, if it has one.

    ``across`` and ``down`` are its place in the figure, as shares of the width from the left and of the height from the top.
    """

    series: str
    x: str
    y: str
    low: str
    high: str
    across: float
    down: float


def marks_of(figure: Figure, names: Mapping[int, str]) -> list[Mark]:
    """Every mark of a figure that was drawn, a line or a row of bars after the other. ``names`` are those of lines by their
    ``id``, where the figure itself calls them otherwise by now."""
    return [mark for axes in figure.axes for mark in _of(axes, names)]


def series_names(figure: Figure) -> dict[int, str]:
    """What each line of a figure is called, by its ``id``."""
    found = {}
    for axes in figure.axes:
        for line, name, _ in named_lines(axes):
            found[id(line)] = f"{str(line.get_gid()).removeprefix(LIVE)}: {name}" if is_live(line) else name
    return found


def draw_live(axes: Axes, x: Sequence[float], y: Sequence[float], colour: str, name: str, of: str) -> None:
    """Points measured in this visit, as large diamonds over a line in its ``colour``: called ``name``, ``of`` that line."""
    (marks,) = axes.plot(x, y, "D", color=colour, markersize=10, label=name, gid=f"{LIVE}{of}")
    marks.set(markerfacecolor="none", markeredgewidth=2, clip_on=False)


def is_live(line: Line2D) -> bool:
    """Whether a line's marks were measured in this visit: its gid begins with LIVE, and ends with what they show."""
    return str(line.get_gid() or "").startswith(LIVE)


def named_lines(axes: Axes) -> list[tuple[Line2D, str, dict[float, Span]]]:
    """The lines and the points with error bars that have a name, with the intervals that are drawn about them, by their x."""
    bars = {id(box.lines[0]): box for box in axes.containers if isinstance(box, ErrorbarContainer) and box.lines[0]}
    found = []
    for line in axes.get_lines():
        box = bars.get(id(line))
        label = str(box.get_label() if box else line.get_label())
        if label and not label.startswith("_"):
            found.append((line, label, _error_bars(box) if box else _band(axes, line)))
    return found


def is_level(axes: Axes, line: Line2D) -> bool:
    """Whether a line is one height from side to side, as ``axhline`` draws it."""
    return bool(line.get_transform() == axes.get_yaxis_transform(which="grid"))


def _of(axes: Axes, names: Mapping[int, str]) -> Iterator[Mark]:
    pointed_out = _annotated(axes)
    for line in axes.get_lines():
        name = names.get(id(line))
        if name is None:
            continue
        intervals = next((spans for other, _, spans in named_lines(axes) if other is line), _band(axes, line))
        x, y = (np.asarray(values, dtype=float) for values in (line.get_xdata(), line.get_ydata()))
        if is_level(axes, line):
            yield _mark(axes, name, (axes.get_xlim()[1], float(y[0])), "", None)
            continue
        every = max(1, -(-len(x) // MOST))
        for at in zip(x[::every].tolist(), y[::every].tolist(), strict=True):
            told = pointed_out.get((round(at[0], 9), round(at[1], 9)))
            yield _mark(axes, f"{told}: {name}" if told else name, at, _x_text(axes, at[0]), intervals.get(at[0]))
    for bars in axes.containers:
        if isinstance(bars, BarContainer) and not str(bars.get_label()).startswith("_"):
            yield from _bars(axes, bars)


def _bars(axes: Axes, bars: BarContainer) -> Iterator[Mark]:
    whiskers = {
        round(float(segment[0][0]), 6): (float(segment[0][1]), float(segment[-1][1]))
        for lines in axes.collections
        if isinstance(lines, LineCollection)
        for segment in lines.get_segments()
    }
    for bar in bars:
        middle = bar.get_x() + bar.get_width() / 2
        span = whiskers.get(round(middle, 6))
        yield _mark(axes, str(bars.get_label()), (middle, bar.get_y() + bar.get_height()), _x_text(axes, middle), span)


def _mark(axes: Axes, series: str, at: tuple[float, float], x: str, span: Span | None) -> Mark:
    across, down = axes.figure.transFigure.inverted().transform(axes.transData.transform(at))
    low, high = (_y_text(axes, end) for end in span) if span else ("", "")
    name = " ".join(series.split())
    return Mark(name, x, _y_text(axes, at[1]), low, high, round(float(across), 4), round(1 - float(down), 4))


def _error_bars(box: ErrorbarContainer) -> dict[float, Span]:
    segments = [segment for lines in box.lines[2] for segment in lines.get_segments()]
    return {float(segment[0][0]): (float(segment[0][1]), float(segment[-1][1])) for segment in segments if len(segment)}


def _band(axes: Axes, line: Line2D) -> dict[float, Span]:
    """The heights of the nameless band in a line's colour, where there is one."""
    for band in axes.collections:
        mine = isinstance(band, PolyCollection) and str(band.get_label()).startswith("_")
        if mine and len(band.get_facecolor()) and to_rgb(band.get_facecolor()[0]) == to_rgb(line.get_color()):  # type: ignore[arg-type]
            heights: dict[float, list[float]] = {}
            for path in band.get_paths():
                for x, y in np.asarray(path.vertices).tolist():
                    heights.setdefault(x, []).append(y)
            spans = {x: (min(found), max(found)) for x, found in heights.items()}
            if set(spans) >= set(np.asarray(line.get_xdata(), dtype=float).tolist()):
                return spans
    return {}


def _annotated(axes: Axes) -> dict[tuple[float, float], str]:
    """The words that point at places, by these."""
    notes: Iterable[Annotation] = (text for text in axes.texts if isinstance(text, Annotation))
    pointing = (note for note in notes if note.arrow_patch and note.get_gid() != "end")  # not the names at the ends of lines
    return {(round(float(note.xy[0]), 9), round(float(note.xy[1]), 9)): note.get_text() for note in pointing}


def _x_text(axes: Axes, x: float) -> str:
    """As the axis would write it: the name of the nearest tick where ticks have names, other than numbers."""
    formatter = axes.xaxis.get_major_formatter()
    if isinstance(formatter, Names):
        return " ".join(formatter(x).split())
    if isinstance(axes.xaxis.get_major_locator(), FixedLocator):
        ticks = np.asarray(axes.get_xticks(), dtype=float)
        if not len(ticks):  # places in an order, which have no name
            return ""
        nearest = int(np.argmin(np.abs(ticks - x)))
        named = " ".join(axes.get_xticklabels()[nearest].get_text().split())
        if math.isclose(ticks[nearest], x, rel_tol=1e-6, abs_tol=1e-9) or not _is_number(named):
            return named
    return f"{100 * x:.3g} %" if isinstance(formatter, PercentFormatter) else f"{x:.4g}"


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "", 1).replace("\u202f", "").replace(" ", "").isdigit()


def _y_text(axes: Axes, y: float) -> str:
    return f"{100 * y:.1f} %" if isinstance(axes.yaxis.get_major_formatter(), PercentFormatter) else f"{y:.3g}"
