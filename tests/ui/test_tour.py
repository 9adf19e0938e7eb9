"""What the tour says is what the page and the shipped tables say."""

from __future__ import annotations

import re

import pytest

from uap_core.errors import DatasetError
from uap_core.experiments.epsilon_sweep import SweepRow
from uap_core.experiments.sample_curve import SampleRow
from uap_core.ui.around import tour
from uap_core.ui.around.glossary import WORDS
from uap_core.ui.selection import usual
from uap_core.ui.state import Studio

STUDIO = Studio()


def said(place: int) -> str:
    stop = tour.STOPS[place - 1]
    return re.sub("<.*?>", "", stop.say(STUDIO, stop.scene(STUDIO)))


def test_six_steps_of_which_one_has_two_halves() -> None:
    assert [stop.step for stop in tour.STOPS] == [1, 2, 3, 4, 5, 5, 6]


def test_the_steps_on_photographs_tell_the_story() -> None:
    """The page's claim, step by step, must be true of what ships."""
    assert "cheetah" in said(1)
    assert "still" not in said(2)
    assert " became " in said(3)
    assert " became " in said(4)
    assert re.search("at lion; FGSM, .* gets (?!lion)", said(7))


def test_figures_come_from_the_shipped_tables() -> None:
    percentages = {place: [float(found) for found in re.findall(r"([\d.]+)%", said(place))] for place in (3, 4, 5, 6)}
    stated = STUDIO.perturbation(usual(STUDIO).pattern, usual(STUDIO).network, {}).provenance["held_out"]
    assert percentages[3] == [round(100 * stated[name], 1) for name in ("fooling_rate", "random_signs")]
    sweep = STUDIO.precomputed(f"{usual(STUDIO).network}-sweep", SweepRow).rows
    assert set(percentages[5]) <= {round(100 * row.fooling_rate.value, 1) for row in sweep}
    half = re.search(r"at (\d+)/255 and", said(5))
    assert half is not None
    below = [row for row in sweep if row.attack == "universal" and row.epsilon * 255 < int(half[1]) - 0.5]
    assert max(row.fooling_rate.value for row in below) < 0.5 <= percentages[5][0] / 100
    curve = STUDIO.precomputed("resnet64-curve-real", SampleRow).rows
    few = re.search(r"found on (\d+) photographs", said(6))
    assert few is not None
    for images, shown in ((int(few[1]), percentages[6][0]), (2048, percentages[6][1]), (1, percentages[6][2])):
        rates = [row.held_out_rate.value for row in curve if row.images == images]
        assert shown == pytest.approx(100 * sum(rates) / len(rates), abs=0.051)


def test_without_the_default_networks_package_the_tour_goes_on_with_the_quick_one(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [(name, key) for name, key in STUDIO.networks() if STUDIO.card(key).input_size == 64]
    monkeypatch.setattr(STUDIO, "networks", lambda: others)
    assert "lion" in said(1)
    assert "87.2%" in said(3)  # README's
    assert "65.4%" in said(4)
    assert re.search("at lion; FGSM, .* gets (?!lion)", said(7))


def test_a_table_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STUDIO, "precomputed", lambda name, row_type: None)
    with pytest.raises(DatasetError, match="not there"):
        said(5)


def test_the_glossary_is_short() -> None:
    assert 15 <= len(WORDS) <= 20
    assert all(len(meaning) <= 170 for meaning in WORDS.values())
