"""Figures as a page shows them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from figure_rows import DIRECTIONS, contenders, defence_rows, detector_rows, photo_rows, sample_rows, sweep_rows
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from uap_core.metrics import Rate
from uap_core.plots.axes import BLUE
from uap_core.plots.comparison import comparison_figure
from uap_core.plots.defences import defences_figure, detector_figure
from uap_core.plots.epsilon import photo_figure, sweep_figure
from uap_core.plots.for_screen import narrowed, unhidden, untitled, widened
from uap_core.plots.geometry import directions_figure
from uap_core.plots.samples import Curve, sample_figure


def ends(axes: Axes) -> list[Annotation]:
    return [text for text in axes.texts if text.get_gid() == "end"]


def entries(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_lines_are_named_at_their_ends_and_no_name_covers_another() -> None:
    close = [replace(row, fooling_rate=Rate(50 + place % 7, 100)) for place, row in enumerate(DIRECTIONS)]
    figure = directions_figure(close, "a title")
    names = entries(figure)
    widened(figure)
    figure.draw_without_rendering()
    assert sorted(" ".join(text.get_text().split()) for text in ends(figure.axes[0])) == sorted(names)
    assert entries(figure) == []
    boxes = [text.get_tightbbox() for text in ends(figure.axes[0])]
    room = figure.bbox
    assert all(room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0 and box.y1 <= room.y1 for box in boxes)
    texts = [Text.get_window_extent(text) for text in ends(figure.axes[0])]
    assert not any(one.y0 < other.y1 and other.y0 < one.y1 for one, other in combinations(texts, 2))


def test_names_stand_in_the_order_of_the_ends() -> None:
    figure = sweep_figure(sweep_rows(), "a title")
    widened(figure)
    heights = {" ".join(text.get_text().split()): text.xyann[1] for text in ends(figure.axes[0])}
    assert heights["random noise"] < min(heights["universal"], heights["an attack made for each picture (FGSM)"])


def test_what_is_no_line_stays_in_the_legend() -> None:
    figure = photo_figure(photo_rows("aabc"), "a title")
    widened(figure)
    assert set(entries(figure)) == {"prediction changed", "c (where it leads)"}
    assert len(ends(figure.axes[0])) == 2


def test_lines_that_end_in_one_point_keep_their_legend() -> None:
    figure = detector_figure(detector_rows(), "a title")
    before = entries(figure)
    widened(figure)
    assert entries(figure) == before


def test_a_phone_gets_every_name_below() -> None:
    figure = sweep_figure(sweep_rows(), "a title")
    names = entries(figure)
    widened(figure)
    narrowed(figure)
    assert entries(figure) == names
    assert ends(figure.axes[0]) == []
    width, height = figure.get_size_inches()
    assert width < height


def test_titles_are_taken_out_once() -> None:
    figure = sweep_figure(sweep_rows(), "a title")
    assert untitled(figure) == "a title"
    assert untitled(figure) == ""


def test_marks_at_one_place_leave_each_other_to_be_seen() -> None:
    figure = comparison_figure(contenders((4.0,) * 5), "a title")
    unhidden(figure)
    fooled, held, *_others = (line for line in figure.axes[0].get_lines() if not line.get_label().startswith("_"))
    assert held.get_markerfacecolor() == "none"
    assert held.get_markersize() > fooled.get_markersize()
    figure = sweep_figure(sweep_rows(), "a title")
    unhidden(figure)
    first, *others = figure.axes[0].get_lines()
    assert first.get_markerfacecolor() != "none"
    assert all(line.get_markerfacecolor() == "none" for line in others)


def test_bars_keep_their_legend() -> None:
    figure = defences_figure(defence_rows(), "a title")
    names = entries(figure)
    widened(figure)
    assert entries(figure) == names


def test_live_points_are_in_the_legend_once() -> None:
    live = sweep_rows()[:6]
    figure = sweep_figure(sweep_rows(), "a title", 32, live, "live, on 6 pictures")
    unhidden(figure)
    widened(figure)
    assert entries(figure) == ["live, on 6 pictures"]
    assert figure.axes[0].get_xlim()[1] > 32
    curve = Curve(sample_rows(1), "made here", BLUE)
    figure = sample_figure([Curve(sample_rows(), "computed", BLUE)], "", paper=False, live=curve)
    widened(figure)
    assert entries(figure) == ["made here"]
