from __future__ import annotations

import pytest
from figure_rows import legend, sample_rows

from uap_core.experiments.sample_curve import PAPER_FIGURE_6
from uap_core.metrics import Rate
from uap_core.plots.axes import BLUE
from uap_core.plots.samples import Curve, sample_figure


def test_a_sample_curve_is_the_mean_over_seeds_on_a_log_axis() -> None:
    figure = sample_figure([Curve(sample_rows(), "mine", BLUE)], "", paper=False)
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    line = axes.containers[0].lines[0]
    assert list(line.get_xdata()) == [1, 2, 4, 8]
    assert list(line.get_ydata()) == pytest.approx([0.22, 0.32, 0.42, 0.52])
    bars = axes.containers[0].lines[2][0].get_segments()
    assert bars[0][:, 1].tolist() == pytest.approx([Rate(20, 100).interval[0], Rate(24, 100).interval[1]])
    assert legend(figure) == ["mine"]


def test_the_papers_curve_is_beside_it_when_asked_for() -> None:
    figure = sample_figure([], "")
    (line,) = figure.axes[0].get_lines()
    assert list(zip(line.get_xdata(), line.get_ydata(), strict=True)) == list(PAPER_FIGURE_6)
    assert "paper" in legend(figure)[0]


def test_random_signs_are_a_line_to_compare_with() -> None:
    figure = sample_figure([Curve(sample_rows(), "mine", BLUE)], "", paper=False, random_signs=0.18)
    line = next(line for line in figure.axes[0].lines if line.get_label() == "random noise of the same strength")
    assert set(line.get_ydata()) == {0.18}


def test_a_first_point_has_one_tick_which_is_its_size() -> None:
    figure = sample_figure([Curve(sample_rows()[:1], "mine", BLUE)], "", paper=False)
    figure.canvas.draw()
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [sample_rows()[0].images]
