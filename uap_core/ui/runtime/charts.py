"""Charts are pictures: what each shows goes along in words, as the alternative text of the picture.

They are drawn here, in the thread of whoever asks. Left to Gradio they would be drawn in the thread that answers everybody, and
all visitors would wait for each other's charts.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from gradio.components.plot import PlotData
from gradio.processing_utils import encode_plot_to_base64

KEPT = 60  # charts, some 50 KB each


class ToldPlot(PlotData):
    """A drawn figure, with the words that the page makes the alternative text of (accessibility.js)."""

    chart: str


_once: OrderedDict[str, ToldPlot] = OrderedDict()
_drawing = threading.RLock()  # one at a time: Matplotlib's figures share the parser of their labels


def drawn(figure: Any) -> ToldPlot:
    """A Matplotlib figure as a picture, lossless so that lines stay crisp, and in words."""
    from uap_core.plots.description import described

    with _drawing:
        return ToldPlot(type="matplotlib", plot=encode_plot_to_base64(figure, "png"), chart=described(figure))


def drawn_once(figure: Callable[..., Any], *given: Any, **named: Any) -> ToldPlot:
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
