from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
from figure_rows import contenders
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from uap_core.attacks.menu import FOOLED, HELD, MENU, SIGNS, UNIVERSAL, attack_name
from uap_core.experiments import epsilon_sweep
from uap_core.plots.axes import NOISE, ONE_PICTURE, PATTERN
from uap_core.plots.comparison import comparison_figure
from uap_core.plots.epsilon import STYLES
from uap_core.plots.scatter import RADIUS, SPREAD, spread


def dots(figure: Figure) -> dict[str, tuple[float, float]]:
    """Where each dot stands, in pixels, by its name."""
    FigureCanvasAgg(figure).draw()
    axes = figure.axes[0]
    return {str(line.get_label()): tuple(axes.transData.transform(line.get_xydata()[0])) for line in axes.lines}


def test_a_comparison_names_every_attack_that_changed_something() -> None:
    figure = comparison_figure(contenders(), "a title")
    names = sorted(attack_name(key) for key in list(MENU)[:5])
    assert sorted(text.get_text() for text in figure.axes[0].texts) == names
    assert sorted(dots(figure)) == names
    assert comparison_figure(contenders((0.0,)), "nothing moved").axes[0].texts[:] == []


def test_no_dot_hides_another_and_no_name_covers_a_dot_or_a_name() -> None:
    first = contenders()[0]
    alike = [replace(first, key=key, l2=4.0, gradients=3, queries=4) for key in (UNIVERSAL, SIGNS, *list(MENU)[:6])]
    figure = comparison_figure(alike, "all at one place")
    places = list(dots(figure).values())
    assert len(places) == 8
    assert all(math.dist(*pair) >= 2 * RADIUS for pair in combinations(places, 2))
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [Text.get_window_extent(text, renderer) for text in figure.axes[0].texts]  # without their lines
    assert not any(one.padded(-1).overlaps(other.padded(-1)) for one, other in combinations(boxes, 2))
    assert not any(box.x0 < x < box.x1 and box.y0 < y < box.y1 for box in boxes for x, y in places)


def test_held_is_a_ring_and_what_knows_no_picture_has_its_own_colour() -> None:
    first = contenders()[0]
    rows = [
        replace(first, key=key, verdict=verdict, l2=size)
        for key, verdict, size in ((UNIVERSAL, FOOLED, 4.0), (SIGNS, HELD, 4.0), ("fgsm", FOOLED, 3.0), ("square", HELD, 2.0))
    ]
    axes = comparison_figure([*rows, replace(first, key="pgd")], "a title").axes[0]
    faces = {str(line.get_label()): (line.get_color(), line.get_markerfacecolor()) for line in axes.lines}
    ours, noise, fgsm, square = (faces[attack_name(key)] for key in (UNIVERSAL, SIGNS, "fgsm", "square"))
    assert ours == (PATTERN, PATTERN)
    assert noise[0] == NOISE
    assert fgsm[0] == square[0] == ONE_PICTURE
    assert [STYLES[kind][0] for kind in (epsilon_sweep.UNIVERSAL, epsilon_sweep.RANDOM, epsilon_sweep.SINGLE)] == [
        PATTERN,
        NOISE,
        ONE_PICTURE,
    ]
    assert noise[1] == square[1] == "white"
    assert fgsm[0] == fgsm[1]


def test_a_few_are_bars_of_their_lengths_from_nothing_on() -> None:
    """Three dots in an empty field would say less."""
    first = contenders()[0]
    rows = [
        replace(first, key=key, verdict=verdict, l2=size / 255, gradients=0, queries=passes)
        for key, verdict, size, passes in ((UNIVERSAL, FOOLED, 400, 1), (SIGNS, HELD, 400, 1), ("fgsm", FOOLED, 300, 3))
    ]
    axes = comparison_figure(rows, "a title").axes[0]
    bars = sorted((bar for box in axes.containers for bar in box), key=lambda bar: bar.get_x())
    assert [round(bar.get_height()) for bar in bars] == [400, 400, 300]
    assert axes.get_ylim()[0] == 0
    assert [bar.get_facecolor() == bar.get_edgecolor() for bar in bars] == [True, False, True]
    assert [box.get_label() for box in axes.containers] == [
        *("the same for every picture, fooled", "random noise, held", "made for this picture, fooled")
    ]
    assert [text.get_text() for text in axes.texts] == ["fooled, 1 pass", "held, 1 pass", "fooled, 3 passes"]


def test_places_are_moved_sideways_only() -> None:
    given = [(10.0, 10.0), (10.0, 10.0), (11.0, 12.0), (300.0, 10.0)]
    found = spread(given)
    assert [y for _, y in found] == [y for _, y in given]
    assert found[0] == given[0]
    assert found[3] == given[3]
    assert np.min([math.dist(*pair) for pair in combinations(found, 2)]) >= SPREAD
