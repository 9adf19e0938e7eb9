from __future__ import annotations

import pytest

from uap_core.experiments.class_alone import ALONE, FOR_ALL, SIGNS, SidesRow
from uap_core.experiments.several import SeveralRow
from uap_core.metrics import Rate
from uap_core.plots.several import several_figure, sides_figure


def test_a_bar_for_either_side_of_each_pattern() -> None:
    rows = [
        SidesRow("cats", "", kind, Rate(a, 10), Rate(b, 10)) for kind, a, b in ((FOR_ALL, 9, 8), (ALONE, 7, 2), (SIGNS, 1, 0))
    ]
    (axes,) = sides_figure(rows, "a title").axes
    heights = [[bar.get_height() for bar in box] for box in axes.containers if hasattr(box, "patches")]
    assert heights == [[0.7, 0.9, 0.1], [0.2, 0.8, 0.0]], "its own first"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["made for these\nalone", "made for all", "random noise"]


def test_a_class_to_reach_has_a_bar_between_them() -> None:
    row = SidesRow("lion", "teddy", ALONE, Rate(9, 10), Rate(2, 10), Rate(5, 10))
    (axes,) = sides_figure([row], "a title").axes
    assert [box[0].get_height() for box in axes.containers if hasattr(box, "patches")] == [0.9, 0.5, 0.2]


def test_a_line_a_strength_and_what_was_measured_live() -> None:
    rows = [
        SeveralRow(e, k, Rate(10 * k + int(e), 100), Rate(0, 100), Rate(0, 100), Rate(0, 100), k)
        for k in (2, 1)
        for e in (8.0, 6.0)
    ]
    (axes,) = several_figure(rows, "a title", [Rate(1, 4), Rate(3, 4)], "now").axes
    lines = {line.get_label(): list(line.get_ydata()) for line in axes.get_lines() if line.get_label()[0] != "_"}
    assert lines["strength 6 of 255"] == pytest.approx([0.16, 0.26])
    assert lines["strength 8 of 255"] == pytest.approx([0.18, 0.28])
    live = [box.lines[0] for box in axes.containers if box.get_label() == "now"]
    assert list(live[0].get_ydata()) == [0.25, 0.75]


def test_nothing_yet() -> None:
    assert sides_figure([], "a title").axes
    assert several_figure([], "a title").axes
