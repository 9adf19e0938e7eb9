"""A live run never leaves the file or the chart of an earlier measurement beside what it shows, wherever it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import gradio as gr
import pytest
from tab_pages import handlers_of, page_of

from uap_core.attacks.menu import ANY
from uap_core.experiments.compare import BASELINES
from uap_core.ui.selection import Selection
from uap_core.ui.state import Studio
from uap_core.ui.tabs import epsilon as epsilon_tab
from uap_core.ui.tabs.compare.handlers import EFFORTS, ITSELF, MATCHED, USUAL_NORM, attack
from uap_core.ui.tabs.compare.pace import Pace

SCENE = ("sample:cat", "resnet64", "resnet64-linf10.safetensors", {}, 10.0)


def lines(csv: dict[str, Any]) -> int:
    return len(Path(csv["value"]).read_text(encoding="utf-8").splitlines()) - 1


def test_each_chart_over_epsilon_comes_with_its_points(monkeypatch: pytest.MonkeyPatch, dreams: Path) -> None:
    monkeypatch.setattr(epsilon_tab, "LIVE_IMAGES", 8)
    steps = list(handlers_of(page_of(epsilon_tab.build))["measure"](*SCENE))
    shown = [(figure, csv) for _, figure, _stored, csv, _answer in steps if figure != gr.skip()]
    counted = [lines(csv) for _, csv in shown]
    assert counted == sorted(set(counted))
    assert len(counted) > 10
    assert set(map(str, steps[-1][1:])) == {str(gr.skip())}, "the last chart has all of them"
    assert all(csv == gr.skip() for _, figure, _stored, csv, _answer in steps if figure == gr.skip())


def test_a_comparison_takes_the_chart_and_pictures_before_it_away_and_names_its_photograph() -> None:
    choices = (ANY, None, [*BASELINES, "fgsm"], next(iter(MATCHED)), next(iter(EFFORTS)), USUAL_NORM, ITSELF)
    steps = list(attack(Studio(), Pace(), Selection(*SCENE), *choices))
    rows = [step for step in steps if "rows" in step]
    assert [step["rows"].count("<tr>") for step in rows] == [2, 3, 4]
    assert [lines(step["numbers"]) for step in rows] == [1, 2, 3]
    assert "figure" in rows[0], "the chart of the run before does not stay beside the first row"
    assert [len(ZipFile(step["archive"]["value"]).namelist()) for step in rows] == [4, 6, 8], "photograph, two each, numbers"
    assert "figure" in rows[-1]
    assert "measured live on Cat, made on ResNet-64" in steps[-1]["state"]
    assert "<caption>Cat, judged by ResNet-64" in rows[0]["rows"]
