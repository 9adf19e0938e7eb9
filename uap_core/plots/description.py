"""A figure in words, for screen readers: its title, its axes, and the data of each labelled mark."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from uap_core.i18n import _
from uap_core.plots.points import named_lines


def described(figure: Figure) -> str:
    """A sentence for the title, for each pair of axes, for each line or row of bars in the legend, for the words between."""
    sentences = [figure.get_suptitle(), *(sentence for axes in figure.axes for sentence in _of(axes))]
    return ". ".join(" ".join(sentence.split()) for sentence in sentences if sentence.strip()) + "."


def _of(axes: Axes) -> Iterator[str]:
    yield axes.get_title(loc="left") or axes.get_title()
    x_label, y_label = axes.get_xlabel(), axes.get_ylabel()
    yield _("{height} against {width}").format(height=y_label, width=x_label) if x_label and y_label else y_label
    yield from _lines(axes)
    yield from _bars(axes)
    yield ", ".join(text.get_text() for text in axes.texts if not text.get_text().isdigit())


def _lines(axes: Axes) -> Iterator[str]:
    for line, name, _spans in named_lines(axes):
        heights = np.asarray(line.get_ydata(), dtype=float)
        if len(heights) and line.get_linestyle() != "None":
            yield _("{line}: from {first} to {last}").format(
                line=name, first=_value(axes, heights[0]), last=_value(axes, heights[-1])
            )


def _bars(axes: Axes) -> Iterator[str]:
    for bars in axes.containers:
        if isinstance(bars, BarContainer) and not str(bars.get_label()).startswith("_"):  # of no name
            heights = ", ".join(_value(axes, bar.get_y() + bar.get_height()) for bar in bars)
            yield f"{bars.get_label()}: {heights}"


def _value(axes: Axes, height: float) -> str:
    """As the axis would write it: "87%" on an axis of shares."""
    shares = isinstance(axes.yaxis.get_major_formatter(), PercentFormatter)
    return f"{100 * height:.0f}%" if shares else f"{height:.3g}"
