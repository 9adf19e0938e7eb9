"""A live run never leaves the file or the chart of an earlier measurement beside what it shows, wherever it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import gradio as gr
import pytest
from tab_pages import handlers_of, page_of

from uap_core.attacks.menu import ANY
from uap_core.experiments.compare import BASELINES
from uap_core.ui.tabs import compare as compare_tab
from uap_core.ui.tabs import epsilon as epsilon_tab
from uap_core.ui.tabs.compare import EFFORTS, ITSELF, MATCHED
from uap_core.ui.widgets import hide

SCENE = ("sample:cat", "resnet64", "resnet64-linf10.safetensors", {}, 10.0)


def lines(csv: dict[str, Any]) -> int:
    return len(Path(csv["value"]).read_text(encoding="utf-8").splitlines()) - 1


def test_each_chart_over_epsilon_comes_with_its_points(monkeypatch: pytest.MonkeyPatch, dreams: Path) -> None:
    monkeypatch.setattr(epsilon_tab, "LIVE_IMAGES", 8)
    steps = list(handlers_of(page_of(epsilon_tab.build))["measure"](*SCENE))
    shown = [(figure, csv) for _, figure, csv in steps if figure != gr.skip()]
    counted = [lines(csv) for _, csv in shown]
    assert counted == sorted(set(counted))
    assert len(counted) > 10
    assert steps[-1][1:] == (gr.skip(), gr.skip()), "the last chart has all of them"
    assert all(csv == gr.skip() for _, figure, csv in steps if figure == gr.skip())


def test_a_comparison_takes_the_chart_and_pictures_before_it_away_and_names_its_photograph() -> None:
    attack: Callable[..., Any] = handlers_of(page_of(compare_tab.build))["attack"]
    choices = (ANY, None, [*BASELINES, "fgsm"], next(iter(MATCHED)), next(iter(EFFORTS)), ITSELF)
    steps = list(attack(*SCENE, *choices))
    rows = [(table, *rest) for _, table, *rest in steps if table != gr.skip()]
    assert [table.count("<tr>") for table, *_ in rows] == [2, 3, 4]
    assert [lines(csv) for *_, csv in rows] == [1, 2, 3]
    assert all(figure == hide() for _, figure, _, _ in rows)
    assert [len(ZipFile(archive["value"]).namelist()) for _, _, archive, _ in rows] == [4, 6, 8], (
        "photograph, two each, numbers"
    )
    said, _, figure, *files = steps[-1]
    assert files == [gr.skip()] * 2, "the last row's are there"
    assert "measured live on Cat, made on ResNet-64" in said
    assert "<caption>Cat, judged by ResNet-64" in rows[0][0]
    assert figure["visible"]
