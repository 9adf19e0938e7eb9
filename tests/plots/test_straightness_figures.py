"""Lines along FGSM's direction, growth with free squares, I-FGSM's steps: what is drawn is what the rows say, in 255ths."""

from __future__ import annotations

import pytest

from uap_core.experiments.iterates import StepRow
from uap_core.experiments.linearity import GrowthRow, LogitRow
from uap_core.norms import of_levels, to_levels
from uap_core.plots.iterates import steps_figure
from uap_core.plots.linearity import growth_figure, logits_figure


def test_a_straight_logit_lies_on_its_line() -> None:
    levels = list(range(-10, 11))
    rows = [LogitRow(of_levels(float(level)), "cat", 3.0 - 0.5 * level) for level in levels]
    curve, line = logits_figure(rows, "a title").axes[0].lines[:2]
    assert list(curve.get_xdata()) == pytest.approx(levels)
    assert list(line.get_ydata()) == pytest.approx([3.0 - 0.5 * level for level in levels])
    assert "within 2: R² 1.000" in str(line.get_label())


def test_bars_are_what_was_predicted_and_what_happened() -> None:
    bars = growth_figure([GrowthRow(1, 0.5, 0.4), GrowthRow(8, 4.0, -0.2)], "a title").axes[0].patches
    assert [bar.get_height() for bar in bars] == [0.5, 4.0, 0.4, -0.2]


def test_steps_that_reached_are_marked_and_epsilon_is_a_line() -> None:
    rows = [StepRow(step, 0.1 * step, of_levels(float(step)), 0.0, "cat", 0.5, step > 2) for step in range(4)]
    left, right = steps_figure(rows, of_levels(3.0), "a title").axes
    assert list(left.lines[1].get_xdata()) == [3]
    assert list(right.lines[0].get_ydata()) == pytest.approx([0, 1, 2, 3])
    assert to_levels(of_levels(3.0)) == right.lines[1].get_ydata()[0]
