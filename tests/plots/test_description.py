"""Figures in words."""

from __future__ import annotations

from figure_rows import contenders, defence_rows, sweep_rows

from uap_core.attacks.menu import attack_name
from uap_core.experiments.epsilon_sweep import UNIVERSAL
from uap_core.plots.comparison import comparison_figure
from uap_core.plots.defences import defences_figure
from uap_core.plots.description import described
from uap_core.plots.epsilon import sweep_figure

TITLE = "a title, so long that it takes a second line when it is written above the lines"


def test_lines_are_told_with_where_they_begin_and_end() -> None:
    words = described(
        sweep_figure(sweep_rows(), "a title, so long that it takes a second line when it is written above the lines")
    )
    assert words.startswith(f"{TITLE}. ")
    assert "fooling rate against strength ε (of 255). " in words
    rows = [row.fooling_rate.value for row in sweep_rows() if row.attack == UNIVERSAL]
    assert f"{UNIVERSAL}: from {rows[0]:.0%} to {rows[-1]:.0%}" in words


def test_bars_are_told_one_by_one() -> None:
    rows = defence_rows()
    expected = ", ".join(f"{row.crafted_anew.value:.0%}" for row in rows)
    assert expected in described(defences_figure(rows, "a title"))


def test_the_words_in_the_figure_are_told() -> None:
    rows = contenders()
    words = described(comparison_figure(rows, "a title"))
    assert all(attack_name(row.key) in words for row in rows if row.l2 > 0)
