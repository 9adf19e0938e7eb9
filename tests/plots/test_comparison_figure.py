from __future__ import annotations

from itertools import pairwise

from figure_rows import contenders

from uap_core.attacks.menu import MENU, attack_name
from uap_core.plots.comparison import comparison_figure


def test_a_comparison_names_every_attack_that_changed_something_and_no_name_covers_another() -> None:
    figure = comparison_figure(contenders(), "a title")
    names = {text.get_text(): text.xyann[1] for text in figure.axes[0].texts}
    assert sorted(names) == sorted(attack_name(key) for key in list(MENU)[:5])
    heights = sorted(names.values())
    assert all(above - below > 0.05 for below, above in pairwise(heights))
    points = {tuple(line.get_xydata()[0]) for line in figure.axes[0].lines}
    assert len(points) == 2, "those that fooled, and those that held"
    assert comparison_figure(contenders((0.0,)), "nothing moved").axes[0].texts[:] == []
