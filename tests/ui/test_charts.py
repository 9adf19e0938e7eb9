from __future__ import annotations

import html
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import pytest
from matplotlib.figure import Figure

from uap_core.experiments.epsilon_sweep import RANDOM, UNIVERSAL, SweepRow
from uap_core.metrics import Rate
from uap_core.plots.epsilon import sweep_figure
from uap_core.ui.runtime import charts
from uap_core.ui.runtime.charts import all_drawn, drawn, drawn_once
from uap_core.ui.widgets import guarded, hide, show


def sweep_rows() -> list[SweepRow]:
    return [SweepRow(attack, level / 255, Rate(5 * level, 100)) for attack in (UNIVERSAL, RANDOM) for level in (0, 5, 10, 20)]


def figure(title: str = "a title", *, height: float = 1.0) -> Figure:
    found = Figure(figsize=(2, height))
    found.suptitle(title)
    return found


def test_a_chart_is_a_picture_and_its_words() -> None:
    chart = drawn(figure())
    assert chart.chart == "a title."
    assert re.findall(r'<svg[^>]*aria-label="([^"]*)"', chart) == ["a title."]
    assert "<figcaption>a title</figcaption>" in chart
    assert "a title</text>" not in chart, "the title is text of the page"


def test_a_chart_has_a_size_for_a_wide_screen_and_one_for_a_phone() -> None:
    chart = drawn(sweep_figure(sweep_rows(), "rates"))
    assert re.findall(r'<svg[^>]*class="(\w+)"', chart) == ["wide", "narrow"]
    widths = [float(found) for found in re.findall(r'viewBox="0 0 ([\d.]+) ', chart)]
    assert widths[1] < widths[0] / 2
    for marks in re.findall(r'data-marks="([^"]*)"', chart):
        assert ["universal", "10", "50.0 %"] in [row[:3] for row in json.loads(html.unescape(marks))]
    assert "data-live" not in chart
    assert "data-live" in drawn(sweep_figure(sweep_rows(), "rates", live=sweep_rows()[:3], live_name="live"))


def test_names_of_others_do_no_harm_in_a_chart() -> None:
    chart = drawn(sweep_figure(sweep_rows(), '<script>alert("1")</script>'))
    assert "<script" not in chart


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
    assert drawn_once(noted, "the same", height=2.0) != found[0]
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
    assert gr.HTML().postprocess(chart["value"]) == chart["value"], "and Gradio takes them as they are"


def test_what_is_no_figure_stays_as_it_is() -> None:
    for answer in ("text", None, gr.skip(), show("file.csv"), ("a", 1)):
        assert all_drawn(answer) == answer
