"""What the tab Epsilon answers, in every state."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tab_pages import handlers_of, page_of

from uap_core.experiments.epsilon_sweep import RANDOM, SINGLE, UNIVERSAL, PhotoRow, SweepRow
from uap_core.metrics import Rate
from uap_core.ui.state import RANDOM_SIGNS, Studio
from uap_core.ui.tabs import epsilon as epsilon_tab
from uap_core.ui.tabs.epsilon_fall import past_its_best
from uap_core.ui.widgets import hide

OWN = "resnet64-linf10.safetensors"
SCENE = ("sample:cat", "resnet64", OWN, {}, 10.0)


@pytest.fixture(scope="module")
def handlers() -> dict[str, Callable[..., Any]]:
    return handlers_of(page_of(epsilon_tab.build))


@pytest.mark.parametrize("network", ["resnet64", "efficientnet_lite0"])
def test_the_answer_has_the_figures_of_the_networks_own_table(network: str, handlers: dict[str, Callable[..., Any]]) -> None:
    table = Studio().precomputed(f"{network}-sweep", SweepRow)
    rates = {(row.attack, round(row.epsilon * 255)): row.fooling_rate.value for row in table.rows}
    *_, answer = handlers["look_stored"]("", network, f"{network}-linf10.safetensors")
    half = int(re.findall(r"At strength (\d+) the", answer)[0])
    below = [rate for (attack, level), rate in rates.items() if attack == UNIVERSAL and level < half]
    assert max(below) < 0.5 <= rates[UNIVERSAL, half]
    told = [rates[UNIVERSAL, half], rates[UNIVERSAL, 10], rates[RANDOM, 10]]
    assert re.findall(r"[\d.]+%", answer) == [f"{rate:.1%}" for rate in told]
    assert f"of {table.rows[0].fooling_rate.total} photographs" in answer


@pytest.mark.parametrize(
    ("network", "pattern"), [("vgg64", "vgg64-linf10.safetensors"), ("resnet64", RANDOM_SIGNS), ("resnet64", "own:mine")]
)
def test_no_figure_is_told_that_was_not_computed(network: str, pattern: str, handlers: dict[str, Callable[..., Any]]) -> None:
    _, note, figure, csv, live, answer = handlers["look_stored"]("", network, pattern)
    assert "not computed" in answer
    assert "%" not in answer + note
    assert (figure, csv, live) == (hide(),) * 3


def test_the_photographs_curve_goes_as_far_as_the_slider(handlers: dict[str, Callable[..., Any]]) -> None:
    _, note, figure, csv = handlers["look_photo_curve"]("", *SCENE[:4])
    lines = Path(csv["value"]).read_text(encoding="utf-8").splitlines()
    assert float(lines[-1].split(",")[0]) == pytest.approx(32 / 255)
    assert "Cat is fooled from strength" in note
    assert "data-epsilon" in figure["value"]


def swept(*rates: int) -> list[SweepRow]:
    return [SweepRow(SINGLE, level / 255, Rate(count, 100)) for level, count in enumerate(rates)]


def test_a_curve_that_comes_down_again_is_told_with_its_reason() -> None:
    said = past_its_best(swept(0, 80, 90, 84))
    assert "At strength 2 it fools 90%, at 3 only 84%" in said
    assert "overshoot" in said
    assert past_its_best(swept(0, 80, 90, 89)) == past_its_best(swept(0, 80, 90)) == past_its_best([]) == ""


def test_the_computed_chart_ends_where_its_curves_end(handlers: dict[str, Callable[..., Any]]) -> None:
    table = Studio().precomputed("efficientnet_lite0-sweep", SweepRow)
    _, note, figure, *_ = handlers["look_stored"]("", "efficientnet_lite0", "efficientnet_lite0-linf10.safetensors")
    last = 255 * max(row.epsilon for row in table.rows)
    ends = [float(place.split()[-1]) for place in re.findall(r'data-epsilon="([^"]+)"', figure["value"])]
    assert ends
    assert all(last <= end < 1.05 * last for end in ends)
    assert past_its_best(table.rows) in note


def photo(*labels: str) -> list[PhotoRow]:
    return [PhotoRow(2 * n / 255, "lion", 0.5, "abacus", 0.4, label, 0.5) for n, label in enumerate(labels)]


def test_where_a_photograph_gives_way_is_told_with_the_label_that_leads_there() -> None:
    assert epsilon_tab.told("Lion", photo("lion", "lion", "tabby", "abacus")) == (
        "Lion is fooled from strength 4: lion becomes tabby."
    )
    assert epsilon_tab.told("Lion", photo("lion", "lion")) == "Lion held up to strength 2: still lion."


def test_live_points_are_over_the_curve_and_clearing_brings_it_back(
    monkeypatch: pytest.MonkeyPatch, dreams: Path, handlers: dict[str, Callable[..., Any]]
) -> None:
    monkeypatch.setattr(epsilon_tab, "LIVE_IMAGES", 8)
    monkeypatch.setattr(epsilon_tab, "LIVE_LEVELS", (0, 10, 32))
    steps = list(handlers["measure"](*SCENE))
    notes, figures = [step[0] for step in steps], [step[1]["value"] for step in steps if "value" in step[1]]
    assert [note.split("strength ")[1][:3] for note in notes if "strength " in note] == ["10:", "32:"] * 3
    assert "6 of 6" in notes[-2]
    for figure in figures:
        assert "data-live" in figure
        assert "universal: from 0% to 99%" in figure.chart, "the computed curve is still there"
    *_, figure, csv, live, answer = handlers["stored"]("resnet64", OWN)
    assert "data-live" not in figure["value"]
    assert live == hide()
    assert csv["visible"]
    assert "87.2%" in answer


def test_without_a_computed_curve_the_live_points_stand_alone(
    monkeypatch: pytest.MonkeyPatch, dreams: Path, handlers: dict[str, Callable[..., Any]]
) -> None:
    monkeypatch.setattr(epsilon_tab, "LIVE_IMAGES", 8)
    monkeypatch.setattr(epsilon_tab, "LIVE_LEVELS", (0, 10))
    *_, (_, figure, *_rest), _last = handlers["measure"]("sample:cat", "resnet64", RANDOM_SIGNS, {}, 10.0)
    assert "data-live" in figure["value"]
    assert "from" not in figure["value"].chart


def test_the_button_says_what_a_run_takes_here(dreams: Path, handlers: dict[str, Callable[..., Any]]) -> None:
    note, _told, run = handlers["look_live"]("resnet64", ("", ""))
    assert "a network drew itself" in note
    assert re.fullmatch(r"Measure it here \(about \d+ (s|min)\)", run["value"])
