"""Charts are SVG in the page: text in its font, colours light and dark, values by pointer and by keyboard (charts.js).

They are drawn here, in the thread of whoever asks. Left to Gradio they would be drawn in the thread that answers everybody, and
all visitors would wait for each other's charts.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from html import escape
from typing import Any

from uap_core.i18n import _

KEPT = 60  # charts, some 50 KB each

_once: OrderedDict[str, Drawn] = OrderedDict()
_drawing = threading.RLock()  # one at a time: Matplotlib's figures share the parser of their labels


class Drawn(str):
    """A figure as HTML; ``chart`` is what it shows in words."""

    __slots__ = ("chart",)
    chart: str


def drawn(figure: Any) -> Drawn:
    """A Matplotlib figure for a wide screen and for a phone, and in words. The figure is used up."""
    with _drawing:
        return _html(figure)


def drawn_once(figure: Callable[..., Any], *given: Any, **named: Any) -> Drawn:
    """``drawn(figure(*given, **named))``, kept for whoever asks for the same. Rows and words are given: the same text is the
    same chart."""
    key = repr((figure.__qualname__, given, sorted(named.items())))
    with _drawing:  # a class that opens a tab together waits for one drawing
        chart = _once.pop(key, None) or drawn(figure(*given, **named))
        _once[key] = chart
        while len(_once) > KEPT:
            _once.popitem(last=False)
        return chart


def all_drawn(answer: Any) -> Any:
    """What a handler answers, with drawn charts in place of figures."""
    if isinstance(answer, tuple):
        return tuple(map(all_drawn, answer))
    if isinstance(answer, dict) and hasattr(answer.get("value"), "savefig"):
        return answer | {"value": drawn(answer["value"])}
    return answer


def _html(figure: Any) -> Drawn:
    from uap_core.plots.description import described
    from uap_core.plots.for_screen import untitled
    from uap_core.plots.points import is_live, series_names

    words, names = described(figure), series_names(figure)
    live = any(is_live(line) for axes in figure.axes for line in axes.get_lines())
    title = untitled(figure)
    fixed, pictures = _pictures(figure, words, names)
    keys = escape(_("Chart: the arrow keys go from value to value. {title}").format(title=title))
    head = f"<figcaption>{escape(title)}</figcaption>" if title else ""
    plot = (
        f'<div class="plot" tabindex="0" role="application" aria-label="{keys}">{pictures}<output class="tip"></output></div>'
    )
    csv, png = escape(_("The drawn values (.csv)")), escape(_("This chart (.png)"))
    tools = f'<button type="button" data-save="png" title="{png}">PNG</button>'
    tools += f'<button type="button" data-save="csv" title="{csv}">CSV</button>'
    the_chart_moves = escape(_("The chart moves sideways."))
    moves = f'<p class="sideways" aria-hidden="true">{the_chart_moves} ⟷</p>' if fixed else ""
    kind = " fixed" if fixed else ""
    html = Drawn(
        f'<figure class="figure{kind}"{" data-live" if live else ""}>{head}{moves}<div class="scroll">{plot}</div>'
        f'<div class="tools">{tools}</div></figure>'
    )
    html.chart = words
    return html


def _pictures(figure: Any, words: str, names: dict[int, str]) -> tuple[bool, str]:
    """Whether it has one size only, and the <svg> of each size with its marks."""
    from uap_core.plots.for_screen import can_change_size, is_crowded, narrowed, unhidden, widened
    from uap_core.plots.points import marks_of
    from uap_core.plots.svg import marks_json, svg_of

    def picture(kind: str) -> str:
        svg = svg_of(figure, kind, words)
        return svg.replace("<svg", f'<svg data-marks="{marks_json(marks_of(figure, names))}"', 1)

    if not can_change_size(figure):
        return True, picture("only")
    crowded = is_crowded(figure)
    unhidden(figure)
    widened(figure)
    wide = picture("only" if crowded else "wide")
    if crowded:
        return True, wide
    narrowed(figure)
    return False, wide + picture("narrow")
