"""What can be pointed at in a figure."""

from __future__ import annotations

import io

import pytest
from figure_rows import contenders, defence_rows, layer_rows, sample_rows, sweep_rows
from matplotlib.figure import Figure

from uap_core.attacks.menu import attack_name
from uap_core.experiments.certified_radius import LayerRow
from uap_core.experiments.convergence import ConvergenceRow
from uap_core.experiments.crafting_curve import Point
from uap_core.experiments.epsilon_sweep import RANDOM
from uap_core.metrics import Rate
from uap_core.plots.axes import BLUE
from uap_core.plots.comparison import comparison_figure
from uap_core.plots.convergence import convergence_figure
from uap_core.plots.defences import defences_figure
from uap_core.plots.description import described
from uap_core.plots.epsilon import sweep_figure
from uap_core.plots.evolution import Evolution, evolution_figure
from uap_core.plots.lipschitz import beside_alexnet_figure, layers_figure
from uap_core.plots.points import Mark, marks_of, series_names
from uap_core.plots.samples import Curve, sample_figure


def marks(figure: Figure) -> list[Mark]:
    names = series_names(figure)
    figure.draw_without_rendering()
    return marks_of(figure, names)


def told(rate: Rate) -> tuple[str, str, str]:
    low, high = rate.interval
    return f"{100 * rate.value:.1f} %", f"{100 * low:.1f} %", f"{100 * high:.1f} %"


def test_marks_of_lines_tell_their_values_and_bands() -> None:
    rows = sweep_rows()
    found = [mark for mark in marks(sweep_figure(rows, "a title")) if mark.series == "random noise"]
    expected = [(f"{row.epsilon * 255:.4g}", *told(row.fooling_rate)) for row in rows if row.attack == RANDOM]
    assert [(mark.x, mark.y, mark.low, mark.high) for mark in found] == expected


def test_marks_stand_where_they_are_drawn() -> None:
    figure = sweep_figure(sweep_rows(), "a title")
    found = {(mark.series, mark.x): mark for mark in marks(figure)}
    first, last = found["universal", "0"], found["universal", "20"]
    box = figure.axes[0].get_window_extent().transformed(figure.transFigure.inverted())
    assert box.x0 < first.across < last.across < box.x1
    assert 1 - box.y0 > first.down > last.down > 1 - box.y1
    assert last.down == pytest.approx(found["an attack made for each picture (FGSM)", "20"].down), "both are at 100 %"


def test_marks_of_bars_tell_the_group_and_the_interval() -> None:
    found = marks(defences_figure(defence_rows(), "a title"))
    assert (found[0].x, found[0].y, found[0].low, found[0].high) == ("none", *told(Rate(100, 100)))
    assert ("fooled by the fixed pattern", "JPEG 50", "40.0 %") in [(mark.series, mark.x, mark.y) for mark in found]


def test_marks_of_curves_tell_their_error_bars() -> None:
    found = marks(sample_figure([Curve(sample_rows(1), "mine", BLUE)], "", paper=False, random_signs=0.18))
    assert [(mark.x, mark.y, mark.low, mark.high) for mark in found if mark.series == "mine"] == [
        (str(size), *told(Rate(20 + 10 * n, 100))) for n, size in enumerate((1, 2, 4, 8))
    ]
    (level,) = [mark for mark in found if mark.series != "mine"]
    assert (level.x, level.y) == ("", "18.0 %")


def test_marks_are_called_by_the_words_that_point_at_them() -> None:
    rows = [row for row in contenders() if row.l2 > 0]
    found = marks(comparison_figure(rows, "a title"))
    assert {mark.series.partition(":")[0] for mark in found} == {attack_name(row.key) for row in rows}


def test_live_marks_say_what_they_show() -> None:
    found = marks(sweep_figure(sweep_rows(), "", live=sweep_rows()[:6], live_name="live, on 6 pictures"))
    assert {mark.series for mark in found} >= {"universal: live, on 6 pictures", "random noise: live, on 6 pictures"}


def test_places_between_ticks_are_told_as_they_are() -> None:
    points = [Point(50, Rate(8, 64)), Point(300, Rate(32, 64)), Point(800, Rate(40, 64))]
    found = marks(evolution_figure(Evolution(800, points), "title"))
    assert [mark.x for mark in found if mark.series == "images it was not made from"] == ["50", "300", "800"]


def test_every_layer_is_told_by_its_own_name_and_bound() -> None:
    """Of seventy there are ticks for every third alone."""
    rows = [LayerRow(f"layer{n}", 1, "convolution", "8 x 3 x 3 x 3", "1 x 1", 2.0 + n, None, 4.0) for n in range(70)]
    figure = layers_figure(rows, "a title")
    found = marks(figure)
    assert [(mark.x, mark.y) for mark in found] == [(f"layer{n}", f"{2.0 + n:.3g}") for n in range(70)]
    assert "convolutions: 2, 3, 4," in described(figure)


def test_the_names_at_the_ends_of_lines_split_nothing() -> None:
    rows = [ConvergenceRow(key, 0, spent, 1.0, Rate(9, 10)) for key in ("default", "spgd") for spent in (16, 2000)]
    found = marks(convergence_figure(rows, "title"))
    assert [mark.series for mark in found] == ["this project's method"] * 2 + ["SPGD"] * 2


def test_dollar_signs_of_a_name_are_no_formula() -> None:
    beside_alexnet_figure(layer_rows(), "my $net_{ $v2", "title").savefig(io.BytesIO())
