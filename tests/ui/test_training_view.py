from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tab_pages import handlers_of, page_of

from uap_core.experiments.fine_tuning import RoundRow
from uap_core.io.results import Table, write_table
from uap_core.metrics import Rate
from uap_core.training.loop import EpochRow
from uap_core.ui import state as studio
from uap_core.ui.state import Studio
from uap_core.ui.tabs.defences import training as training_view
from uap_core.ui.tabs.defences.training import conclusion

ROWS = [RoundRow(n, *(Rate(count, 100) for count in counts), 30.0 * n) for n, counts in enumerate([(70, 80, 80), (69, 50, 10)])]
STATED = {
    "weights_sha256": Studio().card("resnet64").sha256,
    "held_out": "100 images of <somewhere>",
    "crafted_on": "7 others",
    "patterns": 5,
    "time": "2026-11-26T00:00:00",
}


@pytest.fixture
def handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[..., Any]]:
    """The view's functions by name, with a folder of results of its own."""
    monkeypatch.setattr(studio, "RESULTS", tmp_path)
    return handlers_of(page_of(training_view.build))


def test_the_conclusion_goes_from_round_to_round() -> None:
    assert conclusion(ROWS) == (
        "Fooled by a new pattern 80.0% → 50.0%, by the first one 80.0% → 10.0%; clean accuracy 70.0% → 69.0%."
    )


def test_rounds_are_shown_as_precomputed_with_all_that_they_state(
    handlers: dict[str, Callable[..., Any]], tmp_path: Path
) -> None:
    write_table(Table("ResNet-64, in rounds", ROWS, STATED | {"device": "a <card>"}), tmp_path / "resnet64-rounds.json")
    _, note, chart, csv, twins, curves = handlers["look_training"]("", "resnet64")
    assert "Precomputed on 100 images of &lt;somewhere&gt;, 2026-11-26, in 30 s on a &lt;card&gt;; 5 patterns a round" in note
    assert conclusion(ROWS) in note
    assert chart["visible"]
    lines = Path(csv["value"]).read_text().splitlines()
    assert lines[0].startswith("round,clean_accuracy_count")
    assert len(lines) == 3
    assert not twins["visible"]
    assert not curves["visible"]


def test_rounds_of_other_weights_are_not_shown(handlers: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    path = tmp_path / "resnet64-rounds.json"
    write_table(Table("ResNet-64, in rounds", ROWS, STATED), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"provenance": STATED | {"weights_sha256": "x"}}))
    _, note, chart, csv, *_ = handlers["look_training"]("", "resnet64")
    assert "not trained in rounds" in note
    assert not chart["visible"]
    assert not csv["visible"]


def test_a_network_without_rounds_says_which_has_them(handlers: dict[str, Callable[..., Any]]) -> None:
    _, note, *rest = handlers["look_training"]("resnet64", "vgg64")
    assert "choose ResNet-64 to see" in note
    assert not any(part["visible"] for part in rest)


def test_the_twins_that_have_curves_are_drawn(handlers: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    epochs = [EpochRow(n, 2.0, 0.6, 0.8, 0.1, 100.0, 9.0) for n in (1, 2)]
    write_table(Table("Training", epochs, {}), tmp_path / "resnet64_universal-training.json")
    *_, box, curves = handlers["look_training"]("", "resnet64")
    assert box["visible"]
    assert curves["visible"]
    assert "trained on a universal pattern: from" in curves["value"].chart
    assert "trained on attacks" not in curves["value"].chart
