from __future__ import annotations

import pytest
from figure_rows import DIRECTIONS, SINGULAR, SUBSPACE, legend

from uap_core.experiments.directions import FAST, MEAN, NAMES, RANDOM, SINGLE, SUM, UNIVERSAL
from uap_core.experiments.normals import FULL
from uap_core.metrics import Rate
from uap_core.plots.geometry import directions_figure, singular_figure, subspace_figure


def test_singular_values_are_drawn_with_the_factor_by_which_they_fall() -> None:
    figure = singular_figure(SINGULAR, "")
    first, second = figure.axes[0].lines
    assert list(first.get_ydata()) == [8, 4, 8 / 3, 2]
    assert list(second.get_ydata()) == [1.1] * 4
    assert legend(figure) == ["normals of the boundary: first / last = 4", "random unit vectors: first / last = 1"]
    assert figure.axes[0].get_ylim() == pytest.approx((0, 8.64))
    assert singular_figure([], "nothing yet").axes[0].lines[:] == []


def test_each_length_has_its_span_and_its_full_space() -> None:
    figure = subspace_figure(SUBSPACE, "")
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines) == [
        "span, l2 2040/255",
        "full space, l2 2040/255: 10%",
        "span, l2 1020/255",
        "full space, l2 1020/255: 10%",
    ]
    assert list(lines["span, l2 1020/255"].get_xdata()) == [1, 5, 20]
    assert list(lines["span, l2 1020/255"].get_ydata()) == [0.34] * 3
    assert set(lines["full space, l2 1020/255: 10%"].get_ydata()) == {0.1}
    first = [row for row in SUBSPACE if row.space == FULL][:1]
    assert len(subspace_figure(first, "the first row of a run").axes[0].lines) == 2


def test_directions_start_where_nobody_is_fooled() -> None:
    axes = directions_figure(DIRECTIONS, "").axes[0]
    named = {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}
    assert list(named) == [NAMES[key] for key in (UNIVERSAL, SUM, SINGLE, FAST, RANDOM, MEAN)]
    assert list(named[NAMES[SUM]].get_xdata()) == pytest.approx([4 * 255, 8 * 255])
    assert list(named[NAMES[SUM]].get_ydata()) == [0.2, 0.4]
    starts = [line for line in axes.lines if line.get_label().startswith("_")]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in starts] == [(0, 0)] * 6
    low, high = Rate(40, 100).interval
    band = axes.collections[1].get_paths()[0].vertices[:, 1]
    assert (min(abs(band - low)), band.max()) == (pytest.approx(0, abs=1e-9), pytest.approx(high))
    assert len({line.get_marker() for line in named.values()}) == 6
