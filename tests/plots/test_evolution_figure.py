from __future__ import annotations

import io

from figure_rows import legend

from uap_core.experiments.crafting_curve import Point
from uap_core.metrics import Rate
from uap_core.plots.evolution import evolution_figure

POINTS = [Point(50, Rate(8, 64), Rate(2, 60)), Point(200, Rate(32, 64), Rate(30, 60))]
SIGNS = Point(0, Rate(4, 64), Rate(0, 60))


def plain(points: list[Point]) -> list[Point]:
    return [Point(point.image_gradients, point.fooled) for point in points]


def test_the_curve_grows_into_axes_that_stay() -> None:
    figures = [evolution_figure(plain(POINTS)[:count], SIGNS, 800, "title") for count in (0, 1, 2)]
    for count, figure in enumerate(figures):
        (axes,) = figure.axes
        curve, signs = axes.lines
        assert curve.get_xdata().tolist() == [50, 200][:count]
        assert curve.get_ydata().tolist() == [0.125, 0.5][:count]
        assert set(signs.get_ydata()) == {4 / 64}
        assert axes.get_xlim() == figures[0].axes[0].get_xlim()
        assert axes.get_xlim()[1] >= 800
        figure.savefig(io.BytesIO(), format="png")


def test_the_target_is_drawn_beside_any_other_label() -> None:
    figure = evolution_figure(POINTS, SIGNS, 800, "title", "abacus")
    into, fooled, _ = figure.axes[0].lines
    assert into.get_ydata().tolist() == [2 / 60, 0.5]
    assert fooled.get_ydata().tolist() == [0.125, 0.5]
    assert legend(figure) == ["into 'abacus'", "any other label", "random signs of the same size"]


def test_the_end_is_drawn_with_its_interval() -> None:
    final = Rate(90, 128)
    figure = evolution_figure(plain(POINTS), SIGNS, 150, "title", final=final)
    assert "at the end, on 128 images" in legend(figure)
    (bars,) = figure.axes[0].containers
    low, high = bars.lines[2][0].get_segments()[0][:, 1]
    assert (low, high) == final.interval
    assert figure.axes[0].get_xlim()[1] > 200, "a step may go beyond the budget"


def test_a_name_is_no_formula() -> None:
    evolution_figure([], SIGNS, 800, r"my $\frac$ pattern").savefig(io.BytesIO(), format="png")
