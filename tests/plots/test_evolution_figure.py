from __future__ import annotations

import io
from itertools import pairwise

from matplotlib.figure import Figure

from uap_core.experiments.crafting_curve import Point
from uap_core.metrics import Rate
from uap_core.plots.evolution import Evolution, evolution_figure

POINTS = [Point(50, Rate(8, 64), Rate(2, 60)), Point(200, Rate(32, 64), Rate(30, 60))]
SIGNS = Point(0, Rate(4, 64), Rate(0, 60))
STORED = [(16, Rate(400, 1000)), (500, Rate(700, 1000)), (2000, Rate(900, 1000))]


def plain(points: list[Point]) -> list[Point]:
    return [Point(point.image_gradients, point.fooled) for point in points]


def line(figure: Figure, label: str) -> list[tuple[float, float]]:
    """The points of the line called ``label``."""
    (found,) = [line for line in figure.axes[0].lines if line.get_label() == label]
    return [tuple(point) for point in found.get_xydata().tolist()]


def names(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_curve_grows_into_axes_that_stay() -> None:
    figures = [evolution_figure(Evolution(800, plain(POINTS)[:count], signs=SIGNS), "title") for count in (0, 1, 2)]
    for count, figure in enumerate(figures):
        if count:
            assert line(figure, "images it was not made from") == [(50, 0.125), (200, 0.5)][:count]
        assert line(figure, "random noise of the same strength") == [(0, 4 / 64), (800, 4 / 64)]
        assert figure.axes[0].get_xlim() == figures[0].axes[0].get_xlim()
        assert figure.axes[0].get_xlim()[1] >= 800
        figure.savefig(io.BytesIO(), format="png")


def test_what_it_is_made_from_and_where_to_stop_stand_beside_what_it_never_saw() -> None:
    known = [Point(50, Rate(16, 64)), Point(200, Rate(48, 64))]
    figure = evolution_figure(Evolution(800, plain(POINTS), known, SIGNS, delta=0.2), "title")
    assert line(figure, "images it is made from") == [(50, 0.25), (200, 0.75)]
    assert line(figure, "to stop at: 80%") == [(0, 0.8), (800, 0.8)]
    assert names(figure) == ["random noise: 6%", "not made from: 50%", "made from: 75%", "stop at 80%"]
    heights = sorted(text.xyann[1] for text in figure.axes[0].texts)
    assert all(above - below > 0.05 for below, above in pairwise(heights)), "no name covers another"


def test_a_precomputed_run_is_drawn_as_far_as_this_one_goes_and_says_on_what() -> None:
    figure = evolution_figure(Evolution(800, plain(POINTS), stored=STORED), "title")
    assert line(figure, "precomputed, on 1000 photographs") == [(16, 0.4), (500, 0.7)]
    assert "precomputed: 70%" in names(figure)
    assert line(figure, "images it was not made from")[-1] == (200, 0.5), "and the live points are over it"


def test_the_target_is_drawn_beside_any_other_label() -> None:
    figure = evolution_figure(Evolution(800, POINTS, signs=SIGNS, target="abacus"), "title")
    assert line(figure, "images it was not made from, into 'abacus'") == [(50, 2 / 60), (200, 0.5)]
    assert line(figure, "images it was not made from, any other label") == [(50, 0.125), (200, 0.5)]
    assert "fooled" not in figure.axes[0].get_ylabel()


def test_the_end_is_drawn_with_its_interval() -> None:
    final = Rate(90, 128)
    figure = evolution_figure(Evolution(150, plain(POINTS), signs=SIGNS, final=final), "title")
    (bars,) = figure.axes[0].containers
    assert bars.get_label() == "at the end, on 128 images"
    low, high = bars.lines[2][0].get_segments()[0][:, 1]
    assert (low, high) == final.interval
    assert figure.axes[0].get_xlim()[1] > 200, "a step may go beyond the budget"


def test_a_name_is_no_formula() -> None:
    evolution_figure(Evolution(800, signs=SIGNS), r"my $\frac$ pattern").savefig(io.BytesIO(), format="png")
