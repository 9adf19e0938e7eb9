from __future__ import annotations

import io

from figure_rows import layer_rows, legend

from uap_core.experiments.certified_radius import RadiusRow
from uap_core.plots.lipschitz import layers_figure, radii_figure


def test_layers_are_bars_about_one_and_those_without_a_bound_are_left_out() -> None:
    figure = layers_figure(layer_rows(), "a title")
    (axes,) = figure.axes
    bars = {round(patch.get_x() + patch.get_width() / 2): patch for patch in axes.patches}
    assert {place: bar.get_y() + bar.get_height() for place, bar in bars.items()} == {0: 4.0, 1: 0.25, 2: 2.5}
    assert all(bar.get_y() == 1 for bar in bars.values())
    assert [label.get_text() for label in axes.get_xticklabels()] == ["stem", "mean 1", "head"]
    assert len({bar.get_facecolor() for bar in bars.values()}) == 3
    assert set(legend(figure)) == {"convolutions", "fully connected", "others", "power method, real size"}
    low, high = axes.get_ylim()
    assert low <= 0.25
    assert high >= 4
    figure.savefig(io.BytesIO())


def test_radii_are_drawn_in_the_order_of_what_was_found_and_a_picture_that_held_has_no_upper_end() -> None:
    lengths = [("b", 1e-41, 0.5), ("c", 3e-41, None), ("a", 2e-41, 0.1)]
    rows = [RadiusRow(name, "x", 1, certified, found, 1) for name, certified, found in lengths]
    figure = radii_figure(rows, "a title")
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    found, certified = lines["DeepFool alters the label"], lines["below: certified"]
    assert list(found.get_ydata()) == [0.1, 0.5]
    assert list(found.get_xdata()) == [1, 2]
    assert list(certified.get_ydata()) == [2e-41, 1e-41, 3e-41]
    figure.savefig(io.BytesIO())


def test_nothing_to_draw_is_no_error() -> None:
    for figure in (layers_figure([], ""), radii_figure([], ""), radii_figure([RadiusRow("a", "x", 1, 0.0, None, 0)], "")):
        figure.savefig(io.BytesIO())
