"""The search for the least c: which values worked, and how long each change was."""

from __future__ import annotations

from dataclasses import replace

from figure_rows import contenders, legend

from uap_core.attacks.result import Trial
from uap_core.plots.searches import search_figure


def test_each_value_has_a_mark_where_it_worked_and_a_cross_where_not() -> None:
    trials = (Trial(0, 0.5, 1.0, True), Trial(0, 0.05, 0.2, False), Trial(0, 0.2, 0.6, True))
    figure = search_figure([replace(contenders()[0], key="lbfgs", trials=trials)], "search")
    assert legend(figure) == ["L-BFGS: 2 of 3 worked", "did not work"]
    constants, lengths = (axes.get_lines()[:2] for axes in figure.axes)
    assert constants[0].get_ydata().tolist() == [0.5, 0.05, 0.2]
    assert [round(y) for y in lengths[0].get_ydata()] == [255, 51, 153]
    assert [(line.get_marker(), line.get_markevery()) for line in constants] == [("o", [0, 2]), ("x", [1])]
