"""A figure as a page shows it: no title, since that is text of the page; lines named at their ends; marks that hide no other.

What the command line saves is left as it is: a page calls these on a figure of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from uap_core.plots.axes import LOW, plain_texts
from uap_core.plots.points import is_level, is_live, named_lines

WIDE, NARROW = (10.0, 4.4), (4.4, 4.7)  # inches
NAME_LENGTH, NAME_LINE = 28, 0.062  # characters; a line of a name as a share of the height
SAME = 0.004  # ends closer than this, as shares of width and height, cannot be told apart


def untitled(figure: Figure) -> str:
    """Take the title out of a figure, and return it."""
    titles = [figure.get_suptitle()]
    if titles[0]:
        figure.suptitle("")
    for axes in figure.axes:
        titles += [axes.get_title(loc="left"), axes.get_title()]
        axes.set_title("", loc="left")
        axes.set_title("")
    return " ".join(" ".join(titles).split())


def can_change_size(figure: Figure) -> bool:
    """Whether its parts find their places by themselves; some figures are laid out by hand."""
    return figure.get_layout_engine() is not None


def is_crowded(figure: Figure) -> bool:
    """Whether it has more bars than fit side by side on a phone."""
    return sum(len(box) for axes in figure.axes for box in axes.containers if isinstance(box, BarContainer)) > 12


def unhidden(figure: Figure) -> None:
    """Make marks rings, but for the first line's, so that one on another leaves both to be seen."""
    for axes in figure.axes:
        lines = [line for line in axes.get_lines() if line.get_marker() not in ("None", None, "", "_")]
        for place, line in enumerate(lines):
            solid = place == 0 and line.get_markerfacecolor() not in ("white", "none")
            line.set_markerfacecolor(line.get_color() if solid else "none")
            line.set_markeredgewidth(1.8)
        loose = [line for line in lines if line.get_linestyle() == "None" and not is_live(line)]
        for place, line in enumerate(loose):  # the later ones surround the earlier
            line.set_markersize(line.get_markersize() + 3 * place)


def widened(figure: Figure) -> None:
    """Its size on a wide screen, with each line named at its end in place of the legend where that tells them apart."""
    figure.set_size_inches(WIDE[0], WIDE[1] * _height(figure))
    for axes in figure.axes:
        _type(axes, 12, 11)
        for text in axes.texts:
            if text.get_gid() == "end":
                text.set_color("black")  # its line to the mark has the colour
    if len(figure.axes) == 1 and figure.legends and _name_ends(figure.axes[0]):
        named = {id(line) for line, *_ in named_lines(figure.axes[0]) if _is_line(line)}
        _relegend(figure, columns=3, without=named)
    elif figure.legends:
        _relegend(figure, columns=3)


def narrowed(figure: Figure) -> None:
    """Its size on a phone, all names in a legend below."""
    figure.set_size_inches(NARROW[0], NARROW[1] * _height(figure))
    for axes in figure.axes:
        _type(axes, 12, 11)
        for text in [text for text in axes.texts if text.get_gid() == "end"]:
            text.remove()
    if figure.axes:
        _relegend(figure, columns=1)


def _height(figure: Figure) -> float:
    return 0.65 if figure.get_gid() == LOW else 1.0


def _type(axes: Axes, label: float, tick: float) -> None:
    axes.xaxis.label.set_fontsize(label)
    axes.yaxis.label.set_fontsize(label)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_fontsize(min(tick, text.get_fontsize()))


def _relegend(figure: Figure, columns: int, without: Collection[int] = ()) -> None:
    """The legend anew, without the lines of these ``id``s."""
    for legend in list(figure.legends):
        legend.remove()
    entries: list[tuple[Any, str]] = []
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            line = handle.lines[0] if hasattr(handle, "lines") else handle
            if id(line) not in without and not any(label == other for _, other in entries):
                entries.append((handle, label))
    if entries:
        handles, labels = zip(*entries, strict=True)
        words = [fill(label, 44) if columns == 1 else label for label in labels]
        plain_texts(figure.legend(handles, words, fontsize=11, loc="outside lower left", ncols=columns, frameon=False))


def _is_line(line: Line2D) -> bool:
    return line.get_linestyle() not in ("None", "", " ") and len(np.asarray(line.get_xdata())) > 0


def _name_ends(axes: Axes) -> bool:
    """Write each line's name to the right of its end. False, and nothing done, where the ends are one."""
    to_share = axes.transAxes.inverted()
    axes.get_xlim(), axes.get_ylim()  # brings both up to date
    ends = []
    for line, label, _ in named_lines(axes):
        if _is_line(line):
            x, y = (float(np.asarray(values)[-1]) for values in (line.get_xdata(), line.get_ydata()))
            across, height = to_share.transform(axes.transData.transform((x, y)))
            ends.append((float(height), 1.0 if is_level(axes, line) else float(across), fill(label, NAME_LENGTH), line))
    if not ends or (len(ends) > 1 and all(abs(a - b) < SAME for a, b in zip(_heights(ends), _heights(ends)[1:], strict=False))):
        return False
    ends.sort(key=lambda end: end[0])
    column = max(end[1] for end in ends) + 0.025
    for (height, across, label, line), at in zip(ends, _spread(ends), strict=True):
        near = column - across < 0.1
        arrow: dict[str, Any] = {"arrowstyle": "-", "color": line.get_color(), "relpos": (0, 0.5), "shrinkA": 2, "shrinkB": 4}
        arrow |= {"lw": 1.6} if near else {"lw": 0.8, "ls": ":"}
        axes.annotate(
            label,
            (across, height),
            (column, at),
            xycoords="axes fraction",
            textcoords="axes fraction",
            fontsize=11,
            va="center",
            parse_math=False,
            annotation_clip=False,
            arrowprops=arrow,
            gid="end",
        )
    return True


def _heights(ends: Sequence[tuple[float, float, str, Line2D]]) -> list[float]:
    return [end[0] for end in ends]


def _spread(ends: Sequence[tuple[float, float, str, Line2D]]) -> list[float]:
    """Where names of lines that end at ascending heights stand: moved up, then down from the top, until none covers another."""
    rooms = [NAME_LINE * (1 + label.count("\n")) + 0.012 for _, _, label, _ in ends]
    found: list[float] = []
    for place, (height, *_) in enumerate(ends):
        low = found[-1] + (rooms[place - 1] + rooms[place]) / 2 if found else rooms[0] / 2 - 0.06
        found.append(max(height, low))
    top = 1.03
    for place in range(len(found) - 1, -1, -1):
        found[place] = min(found[place], top - rooms[place] / 2)
        top = found[place] - rooms[place] / 2
    return found
