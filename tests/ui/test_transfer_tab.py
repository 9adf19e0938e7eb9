from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tab_pages import handlers_of, page_of

from uap_core.experiments import disjoint_training as cross_training
from uap_core.experiments.disjoint_training import LearnerRow
from uap_core.experiments.origins import MatrixRow
from uap_core.metrics import Rate
from uap_core.perturbations.library import library
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs import transfer as transfer_tab
from uap_core.ui.tabs.transfer import FAMILIES

Handlers = dict[str, Callable[..., Any]]
OF_64 = [entry for entry in library() if entry.side == 64]
MINE = {"mine": Pattern("mine", np.full((3, 64, 64), 4 / 255, dtype=np.float32), "linf", 4 / 255)}


@pytest.fixture(scope="module")
def handlers() -> Handlers:
    return handlers_of(page_of(transfer_tab.build))


@pytest.mark.parametrize("family", FAMILIES)
def test_precomputed_tables_say_what_they_were_measured_on(handlers: Handlers, family: str) -> None:
    matrix, examples, file, halves = handlers["stored"](family)
    assert "Precomputed 20" in matrix
    assert "random signs" in matrix
    assert 'class="own"' in matrix
    for table, command in ((examples, "transfer"), (halves, "halves")):
        assert "Precomputed 20" in table or f"python -m uap_core {command}" in table
    assert Path(file["value"]).read_text().startswith("perturbation,network,crafted_on,")


def test_without_results_the_tab_says_how_to_get_them(handlers: Handlers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Studio, "precomputed", lambda *_: None)
    matrix, examples, file, halves = handlers["stored"](next(iter(FAMILIES)))
    assert "Not computed yet" in matrix
    assert "Not computed yet" in examples
    assert "uap_core halves" in halves
    assert not file["visible"]


def test_networks_of_the_chosen_ones_size_are_offered_and_ticked(handlers: Handlers) -> None:
    offered = handlers["look_offered"]("", "resnet64", [])[2]
    assert offered["value"] == [key for _, key in offered["choices"]]
    assert offered["value"] == ["resnet64", "resnet64_universal"], "whom the dreams tell the truth about"
    again = handlers["look_offered"]("", "resnet64", ["resnet64_universal", "gone"])[2]
    assert again == offered | {"value": ["resnet64_universal"]}, "ticks stay where the network does"
    assert handlers["look_offered"]("", "vgg64", [])[2]["choices"] == []


def test_photographs_tell_the_truth_about_all_networks_of_the_size(tmp_path: Path) -> None:
    studio = Studio(images=tmp_path)
    offered = handlers_of(page_of(transfer_tab.build, studio))["look_offered"]("", "resnet64", [])[2]
    assert {"resnet64", "resnet64_robust", "separable64", "vgg64"} <= set(offered["value"])
    assert all(studio.card(key).input_size == 64 for key in offered["value"])


def test_cells_stream_and_end_with_examples_and_a_file(
    handlers: Handlers, dreams: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    craft_and_held_out = Studio.craft_and_held_out

    def few(studio: Studio, network: str) -> Any:
        return tuple(part.prefix(8) for part in craft_and_held_out(studio, network))

    monkeypatch.setattr(Studio, "craft_and_held_out", few)
    monkeypatch.setattr(transfer_tab, "LIVE_IMAGES", 2)
    monkeypatch.setattr(transfer_tab, "LIVE_ATTACK", "fgsm")
    steps = list(handlers["measure"]("resnet64", MINE, ["resnet64", "resnet64_universal"]))
    tables = [table for _, table, _ in steps if isinstance(table, str) and table]
    cells = [table.count('class="rate"') for table in tables]
    patterns = len(OF_64) + 1 + 2 * len({entry.ball for entry in OF_64} | {"mine"})
    assert cells == list(range(1, 2 * patterns + 2 * (2 + 2) + 1))
    assert "mine (yours)" in tables[-1]
    assert all(entry.name.split(",")[0] in tables[-1] for entry in OF_64)
    assert "FGSM 10/255, made on ResNet-64, universally trained" in tables[-1]
    assert "2 dreamt images" in tables[-1]
    files = [csv for _, table, csv in steps if isinstance(table, str) and table]
    assert [Path(csv["value"]).read_text().count("\n") - 1 for csv in files] == cells, "wherever it is stopped"
    assert "alert" in list(handlers["measure"]("resnet64", {}, []))[-1][0]


def test_training_asks_for_photographs_where_there_are_only_dreams(handlers: Handlers) -> None:
    (said, *_) = list(handlers["learn"]())[-1]
    assert "fetch Imagenette" in said
    assert "alert" in said


def test_training_streams_its_accuracies_and_its_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    learnt = [LearnerRow("a1", 1, Rate(1, 4), 0.5), LearnerRow("a1", 2, Rate(2, 4), 1.0)]
    cells = [MatrixRow("deepfool", "a1", True, Rate(3, 4), 0.1)]
    opened = []

    class Some(tuple):
        name = "some"

    monkeypatch.setattr(cross_training, "open_for_halves", lambda *asked: (opened.append(asked), (Some(), Some((1, 2))))[1])
    monkeypatch.setattr(cross_training, "cross_training", lambda *_: iter([*learnt, *cells]))
    steps = list(handlers_of(page_of(transfer_tab.build, Studio(images=tmp_path)))["learn"]())
    assert opened == [(tmp_path, transfer_tab.HALVES_LIMIT)]
    assert "A: 16-32-64, half 1, epoch 2: accuracy 50.0%" in steps[2][0]
    assert "Accuracy: A: 16-32-64, half 1 50.0%." in steps[3][1]
    assert 'class="own"' in steps[3][1]
    assert Path(steps[3][2]["value"]).read_text().count("\n") == 2
