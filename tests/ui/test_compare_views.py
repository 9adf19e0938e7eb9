"""The tab Compare: what stands there at once, what a run says, and what its words mean."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from tab_pages import page_of

from uap_core.attacks.menu import ANY, BASELINES, FOOLED, HELD, MENU, SIGNS, TARGET, UNIVERSAL
from uap_core.errors import SettingError
from uap_core.experiments.compare import Bout, Contender
from uap_core.models.zoo import PAGE_MODEL
from uap_core.ui.selection import Selection
from uap_core.ui.state import Studio
from uap_core.ui.tabs import compare as compare_tab
from uap_core.ui.tabs.compare import handlers
from uap_core.ui.tabs.compare.answer import answer
from uap_core.ui.tabs.compare.handlers import EFFORTS, EVERY, ITSELF, MATCHED, USUAL_NORM
from uap_core.ui.tabs.compare.near import near_misses
from uap_core.ui.tabs.compare.pace import Pace
from uap_core.ui.tabs.compare.table import long_table, short_table

NETWORK = "resnet64"
SCENE = Selection("sample:lion", NETWORK, "resnet64-linf10.safetensors", {}, 10.0)
USUAL = (list(EVERY), next(iter(MATCHED)), next(iter(EFFORTS)), USUAL_NORM)


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio()


def preview(studio: Studio, pace: Pace | None = None, settings: Any = USUAL) -> dict[str, Any]:
    return handlers.preview(studio, pace or Pace(), SCENE, None, ITSELF, *settings)


def a_row(key: str = "fgsm", **changes: Any) -> Contender:
    picture = np.zeros((8, 8, 3), dtype=np.uint8)
    whole = Contender(
        *(key, ANY, "", None, picture, "tabby", 0.5, FOOLED, "tabby", FOOLED, None, True),
        *(0.1, 4.0, 64, 30.0, 0.9, 1, 2, 0.1),
    )
    return replace(whole, **changes)


def element(page: gr.Blocks, elem_id: str) -> Any:
    return next(block for block in page.blocks.values() if getattr(block, "elem_id", None) == elem_id)


def test_the_tab_is_a_question_a_button_and_closed_folds() -> None:
    page = page_of(compare_tab.build)
    assert "What does an attack made for one picture do?" in element(page, "compare-lesson").value
    assert element(page, "compare-run").value == f"Run all {len(EVERY)}"
    assert not element(page, "compare-stop").visible
    assert not element(page, "compare-details").open
    offered = [name for name, _ in element(page, "attacks").choices]
    assert {"FGSM", "I-FGSM (BIM)", "PGD", "MI-FGSM", "Carlini & Wagner l2"} <= set(offered)
    assert element(page, "attacks").value == list(EVERY) == [*BASELINES, *MENU]


def test_three_stand_there_at_once_with_their_chart_and_the_price_of_the_rest(studio: Studio) -> None:
    found = preview(studio)
    assert found["rows"].count("<tr>") == 1 + 3
    for name in ("Universal pattern", "Random noise", "FGSM"):
        assert f"<b>{name}</b>" in found["rows"]
    assert found["figure"]["visible"]
    assert re.fullmatch(rf"Run all {len(EVERY)} \(about \d+ (s|min)\)", found["run"])
    assert "lion" not in found["target"]["choices"]
    assert found["archive"]["visible"] is False


def test_fewer_attacks_cost_less_and_thorough_ones_more(studio: Studio) -> None:
    pace = Pace()
    assert pace.expected(NETWORK, EVERY, Bout()) is None
    assert handlers.price(studio, pace, NETWORK, *USUAL) == {"run": f"Run all {len(EVERY)}"}
    preview(studio, pace)
    whole, few = (pace.expected(NETWORK, keys, Bout()) for keys in (EVERY, ["fgsm", "pgd"]))
    thorough = pace.expected(NETWORK, EVERY, Bout(effort=4))
    assert whole
    assert few
    assert thorough
    assert few < whole < thorough
    assert handlers.price(studio, pace, NETWORK, ["fgsm", "pgd"], *USUAL[1:])["run"].startswith("Run 2 (")
    assert handlers.price(studio, pace, NETWORK, [], *USUAL[1:])["run"] == "Tick an attack first"
    pace.saw(NETWORK, a_row("carlini-wagner-l0", seconds=50.0), Bout())
    longer = pace.expected(NETWORK, EVERY, Bout())
    assert longer
    assert longer > 50, "what it took the last time counts"


def test_a_run_tells_which_attack_how_many_are_done_and_what_was_the_smallest(studio: Studio) -> None:
    choices = (ANY, None, ["deepfool", *BASELINES, "fgsm"], *USUAL[1:], ITSELF)
    steps = list(handlers.attack(studio, Pace(), SCENE, *choices))
    notes = [step["state"] for step in steps]
    assert any(re.search(r"FGSM: 3 of 4, (about \d+ s|a moment) left", note) for note in notes), notes
    assert "smallest change that fooled is DeepFool’s" in notes[-1]
    assert "the universal pattern is 110" in notes[-1]


def test_what_cannot_be_run_is_said(studio: Studio) -> None:
    for keys, matched, sentence in (([], USUAL[1], "Tick at least one"), (["fgsm"], "any", "among what is offered")):
        with pytest.raises(SettingError, match=sentence):
            list(handlers.attack(studio, Pace(), SCENE, ANY, None, keys, matched, *USUAL[2:], ITSELF))
    with pytest.raises(SettingError, match="Choose the class"):
        list(handlers.attack(studio, Pace(), SCENE, TARGET, None, ["fgsm"], *USUAL[1:], ITSELF))


@pytest.mark.parametrize("network", [NETWORK, PAGE_MODEL])
def test_the_answer_is_measured_for_the_network(studio: Studio, network: str) -> None:
    from uap_core.experiments.epsilon_sweep import SweepRow

    said = answer(studio, network)
    found = re.search(r"at strength ([\d.]+) of 255 .* on (\d+)% of (\d+) photographs, the universal pattern on (\d+)%", said)
    assert found
    rows = studio.precomputed(f"{network}-sweep", SweepRow).rows
    here = {row.attack: row.fooling_rate for row in rows if abs(row.epsilon * 255 - float(found[1])) < 1e-6}
    assert f"{here['fgsm'].value:.0%}" == f"{found[2]}%"
    assert f"{here['universal'].value:.0%}" == f"{found[4]}%"
    assert here["fgsm"].total == int(found[3])
    assert f"random noise on {here['random_signs'].value:.1%} –" in said


def test_a_network_without_a_table_gets_no_figure(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Studio, "precomputed", lambda *given: None)
    assert not re.search(r"\d", answer(studio, NETWORK))


def test_no_change_is_said_in_words_and_no_infinite_decibel() -> None:
    before = np.zeros((8, 8, 3), dtype=np.uint8)
    rows = [a_row(psnr=float("inf"), ssim=1.0, l2=0.0, linf=0.0)]
    tables = short_table(before, "Cat", rows, bool) + long_table(before, "Cat", rows, bool)
    assert "inf dB" not in tables
    assert tables.count("no change") == 2


def test_a_near_miss_is_named_where_the_answer_changed(studio: Studio) -> None:
    near = near_misses(studio, PAGE_MODEL, "Egyptian cat")
    assert "tabby" in near
    assert "Egyptian cat" not in near
    assert "lion" not in near
    assert near_misses(studio, PAGE_MODEL, "no class at all") == set()
    before = np.zeros((8, 8, 3), dtype=np.uint8)
    changed, held = (short_table(before, "Cat", [a_row(verdict=verdict)], near.__contains__) for verdict in (FOOLED, HELD))
    assert "a near miss" in changed
    assert "a near miss" not in held
    assert "a near miss" not in short_table(before, "Cat", [a_row(label="teapot")], near.__contains__)


def test_each_cell_says_what_it_is_where_lines_are_cards() -> None:
    table = short_table(np.zeros((8, 8, 3), dtype=np.uint8), "Cat", [a_row(UNIVERSAL), a_row(SIGNS), a_row()], bool)
    assert table.count('data-name="Verdict"') == 3
    assert table.count("the same for every picture") == 2
    assert "Goodfellow et al., 2015; white box; bounded in l_inf" in table
