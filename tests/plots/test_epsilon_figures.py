from __future__ import annotations

import pytest
from figure_rows import legend, photo_rows, sweep_rows

from uap_core.experiments.epsilon_sweep import EPSILONS, RANDOM
from uap_core.metrics import Rate
from uap_core.plots.epsilon import photo_figure, sweep_figure


def test_a_sweep_draws_its_numbers_with_their_intervals() -> None:
    figure = sweep_figure(sweep_rows(), "a title")
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert list(lines) == legend(figure) == ["universal", "random noise", "an attack made for each picture (FGSM)"]
    assert list(lines["an attack made for each picture (FGSM)"].get_xdata()) == pytest.approx(
        [epsilon * 255 for epsilon in EPSILONS]
    )
    assert list(lines["universal"].get_ydata()) == [min(1, round(epsilon * 255 * 5) / 100) for epsilon in EPSILONS]
    assert len(figure.axes[0].collections) == 3
    band = figure.axes[0].collections[1].get_paths()[0].vertices[:, 1]
    low, high = Rate(20, 100).interval  # random signs at 20/255
    assert band.max() == pytest.approx(high)
    assert min(abs(band - low)) < 1e-9
    marks = {line.get_marker() for line in lines.values()}
    assert len(marks) == 3  # told apart without colours


def test_a_sweep_of_one_attack_is_enough() -> None:
    assert legend(sweep_figure([row for row in sweep_rows() if row.attack == RANDOM], "")) == ["random noise"]
    assert sweep_figure([], "nothing yet").axes[0].get_legend() is None


def test_a_photo_is_shaded_where_its_label_is_another() -> None:
    assert "prediction changed" in legend(photo_figure(photo_rows("aabb"), ""))
    shade = photo_figure(photo_rows("aabba"), "").axes[0].collections[0].get_paths()
    assert len(shade) == 1
    assert (shade[0].vertices[:, 0].min(), shade[0].vertices[:, 0].max()) == pytest.approx((2, 3))
    assert "prediction changed" not in legend(photo_figure(photo_rows("aaaa"), ""))


def test_a_third_label_is_drawn_where_it_leads() -> None:
    figure = photo_figure(photo_rows("accb"), "")
    third = next(line for line in figure.axes[0].get_lines() if line.get_label() == "c (where it leads)")
    assert list(third.get_xdata()) == [1, 2]
    assert list(third.get_ydata()) == [0.6, 0.6]
