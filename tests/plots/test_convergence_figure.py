from __future__ import annotations

from itertools import pairwise

from uap_core.experiments.convergence import ConvergenceRow
from uap_core.metrics import Rate
from uap_core.plots.convergence import convergence_figure


def test_convergence_names_each_line_at_its_end() -> None:
    rows = [
        ConvergenceRow(method, 0, spent, 1.0, Rate(count, 100))
        for method, counts in {"default": (10, 80), "spgd": (20, 79), "sga": (5, 78)}.items()
        for spent, count in zip((16, 2000), counts, strict=True)
    ]
    figure = convergence_figure(rows, "title")
    (axes,) = figure.axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[0.1, 0.8], [0.2, 0.79], [0.05, 0.78]]
    assert {text.get_text() for text in axes.texts} == {"this project's method 80%", "SPGD 79%", "SGA 78%"}
    heights = sorted(text.get_position()[1] for text in axes.texts)
    assert all(b - a > 0.05 for a, b in pairwise(heights)), "names may not cover each other"


def test_a_method_without_a_style_is_drawn_too() -> None:
    """Each gets a line that no other has, whether the menu knows it or a file of somebody else's has it."""
    methods = ("default", "transfer", "somebody's", "another's")
    (axes,) = convergence_figure([ConvergenceRow(key, 0, 16, 1.0, Rate(1, 2)) for key in methods], "title").axes
    assert len({(line.get_color(), line.get_marker()) for line in axes.lines}) == 4
    assert {text.get_text().rpartition(" ")[0] for text in axes.texts} == {
        "this project's method",
        "This project's method, for networks never seen",
        "somebody's",
        "another's",
    }


def test_convergence_of_nothing_is_an_empty_chart() -> None:
    assert not convergence_figure([], "title").axes[0].lines
