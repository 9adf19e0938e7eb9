from __future__ import annotations

import base64
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import pytest
from matplotlib.figure import Figure
from PIL import Image

from uap_core.ui.runtime import charts
from uap_core.ui.runtime.charts import all_drawn, drawn, drawn_once
from uap_core.ui.widgets import guarded, hide, show


def figure(title: str = "a title", *, height: float = 1.0) -> Figure:
    found = Figure(figsize=(2, height))
    found.suptitle(title)
    return found


def test_a_chart_is_a_picture_and_its_words() -> None:
    chart = drawn(figure())
    assert Image.open(io.BytesIO(base64.b64decode(chart.plot.partition(",")[2]))).format == "PNG"
    assert chart.chart == "a title."


def test_a_class_that_asks_together_waits_for_one_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def noted(*given: str, **named: float) -> Figure:
        made.append(given)
        return figure(*given, **named)

    with ThreadPoolExecutor(8) as pupils:
        found = list(pupils.map(lambda _: drawn_once(noted, "the same"), range(8)))
    assert len(made) == 1
    assert all(chart is found[0] for chart in found)
    assert drawn_once(noted, "another").chart == "another."
    assert drawn_once(noted, "the same", height=2.0).plot != found[0].plot
    assert len(made) == 3
    monkeypatch.setattr(charts, "KEPT", 1)
    drawn_once(noted, "the last")
    drawn_once(noted, "another")
    assert len(made) == 5, "only so many are kept"


@pytest.mark.parametrize("streams", [False, True])
def test_handlers_answer_with_drawn_charts(streams: bool) -> None:
    """Gradio would draw a figure in the thread that answers everybody."""
    threads = []

    class Noted(Figure):
        def savefig(self, *given: object, **named: object) -> None:
            threads.append(threading.get_ident())
            super().savefig(*given, **named)

    def plain() -> tuple:
        return "text", show(Noted()), hide()

    def streaming():
        yield plain()

    handler = guarded(3, 0)(streaming if streams else plain)
    text, chart, hidden = next(handler()) if streams else handler()
    assert (text, hidden) == ("text", hide())
    assert threads == [threading.get_ident()]
    assert gr.Plot().postprocess(chart["value"]) is chart["value"], "and Gradio takes them as they are"


def test_what_is_no_figure_stays_as_it_is() -> None:
    for answer in ("text", None, gr.skip(), show("file.csv"), ("a", 1)):
        assert all_drawn(answer) == answer
