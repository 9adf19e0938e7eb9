from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from tab_pages import handlers_of, page_of

from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments import disjoint_training as cross_training
from uap_core.experiments.disjoint_training import LearnerRow
from uap_core.experiments.equal_l2 import EqualNormRow, KindMean, means
from uap_core.experiments.evaluation_rows import EvaluationRow
from uap_core.experiments.origins import MatrixRow
from uap_core.metrics import Rate
from uap_core.perturbations.library import library
from uap_core.ui.html.words import plain
from uap_core.ui.selection import Selection
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.apply.view import Words, looked_at
from uap_core.ui.tabs.transfer import halves, live
from uap_core.ui.tabs.transfer import tab as transfer_tab
from uap_core.ui.tabs.transfer.cards import right_before
from uap_core.ui.tabs.transfer.stored import answer, tables

Handlers = dict[str, Callable[..., Any]]
SKIPPED = gr.skip()
OF_64 = [entry for entry in library() if entry.side == 64]
MINE = {"mine": Pattern("mine", np.full((3, 64, 64), 4 / 255, dtype=np.float32), "linf", 4 / 255)}


@pytest.fixture(scope="module")
def handlers() -> Handlers:
    return handlers_of(page_of(transfer_tab.build))


@pytest.mark.parametrize(("network", "column"), [("resnet64", "VGG-64"), ("efficientnet_lite0", "GoogLeNet")])
def test_the_tables_are_those_of_the_chosen_networks_size(handlers: Handlers, network: str, column: str) -> None:
    _, lesson, matrix, examples, file, halves, beyond, norms = handlers["look_stored"](
        "", network, f"{network}-linf10.safetensors"
    )
    assert re.search(r"fools .* on \d+%", lesson)
    assert "Precomputed 20" in matrix
    assert f'<th scope="col">{column}</th>' in matrix
    assert "random noise, strength 10 of 255" in matrix
    assert 'class="own"' in matrix
    assert "photographs that no pattern was made from" in matrix
    assert "Precomputed 20" in examples
    assert "Precomputed 20" in halves
    assert Path(file["value"]).read_text().startswith("perturbation,network,crafted_on,")
    own = next(row for row in Studio().precomputed(f"{network}-evaluations", EvaluationRow).rows if "deepfool" in row.pattern)
    for shown in (f"<td>{own.top_3.value:.1%}</td>", f"<td>{own.corrections.count} of {own.corrections.total}</td>"):
        assert shown in beyond
    ours, noise = (next(kind for kind in norms_of(network) if kind.kind == wanted) for wanted in ("one", "random_signs"))
    assert norms.index(f"<td>{ours.scaled_rate:.1%}</td>") < norms.index(f"<td>{noise.fooling_rate:.1%}</td>")
    assert ours.scaled_rate < ours.fooling_rate, "a smaller pattern fools fewer"


def norms_of(network: str) -> list[KindMean]:
    family = {"resnet64": "embedded", "efficientnet_lite0": "imagenet"}[network]
    return means(Studio().precomputed(f"{family}-equal-l2", EqualNormRow).rows)


def test_without_results_the_tab_says_how_to_get_them(handlers: Handlers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Studio, "precomputed", lambda *_: None)
    _, lesson, matrix, examples, file, halves, beyond, norms = handlers["look_stored"](
        "", "resnet64", "resnet64-linf10.safetensors"
    )
    assert "has not been measured" in lesson
    assert "No table for networks of 64 pixels yet" in matrix
    assert "No table" in examples
    assert "uap_core halves" in halves
    assert not beyond
    assert not norms
    assert not file["visible"]


def test_the_answer_tells_the_chosen_patterns_figures() -> None:
    (matrix, _), names = tables(Studio(), "resnet64"), {"resnet64": "R", "vgg64": "V"}
    rates = {
        row.network: f"{row.fooling_rate.value:.0%}" for row in matrix.rows if row.perturbation == "resnet64-linf10.safetensors"
    }
    said = answer(matrix, "resnet64-linf10.safetensors", names)
    assert said.startswith(
        f"Made on R alone, it fools that one on {rates['resnet64']} of photographs it was not made from, and "
    )
    away = sorted(float(rate.strip("%")) for network, rate in rates.items() if network != "resnet64")
    assert said.endswith(f" on {away[0]:.0f}% to {away[-1]:.0f}%.")
    assert "on average" in answer(matrix, "own:mine", names), "of a pattern that no table knows, what such patterns do"
    (matrix, _) = tables(Studio(), "squeezenet1_1_caffe")
    assert answer(matrix, "seven-linf10.safetensors", {}).startswith("Made on all of them at once")
    assert "made on squeezenet" not in answer(matrix, "all-but-squeezenet1_1_caffe-linf10.safetensors", {}).lower()


def test_one_photograph_goes_to_every_network_of_the_size(handlers: Handlers) -> None:
    studio = Studio()
    steps = list(handlers["look_cards"]("sample:lion", "resnet64", "vgg64-linf10.safetensors", {}, 10.0, ""))[1:]
    of_size = [key for _, key in studio.networks() if studio.card(key).input_size == 64]
    assert [row.count("<figure") for _, row, _ in steps] == list(range(1, len(of_size) + 1)), "a card as soon as it is there"
    said, row, key = steps[-1]
    fooled = row.count('class="other fooled"') + row.count('class="other near"')
    assert f"{fooled} of {len(of_size)} networks" in said
    assert fooled + row.count('class="other held"') == len(of_size)
    names = re.findall(r"<figcaption>\s*<b>(.*?)</b>", row)
    assert names[:2] == ["ResNet-64", "VGG-64"], "the chosen one first, then whom the pattern was made on"
    assert row.count("the pattern was made on it") == 1
    assert "(built in)" not in row
    assert list(handlers["look_cards"]("sample:lion", "resnet64", "vgg64-linf10.safetensors", {}, 10.0, key)) == [
        (SKIPPED,) * 3
    ]
    *_, (said, row, _) = handlers["look_cards"]("sample:lion", "resnet64", "vgg64-linf10.safetensors", {}, 0.0, "")
    assert "nothing changes" in said
    assert row.count("no change yet") == len(of_size)


@pytest.mark.parametrize("photo", ["sample:lion", "sample:running"])
def test_a_card_says_of_the_chosen_network_what_apply_says(handlers: Handlers, photo: str) -> None:
    studio, pattern = Studio(), "resnet64-linf10.safetensors"
    *_, (_, row, _) = handlers["look_cards"](photo, "resnet64", pattern, {}, 7.0, "")
    seen = Words().of(studio, looked_at(studio, Selection(photo, "resnet64", pattern, {}, 7.0)), [("pattern", 7.0)])
    said = seen["pattern", 7.0]
    assert f"{said.label} {said.sure:.0%}" in row.split("</figcaption>")[0]


def test_who_was_wrong_before_is_known_of_samples_alone() -> None:
    studio = Studio()
    right, wrong = (SimpleNamespace(before=[(label, 0.9)]) for label in ("lion", "pretzel"))
    for network in ("resnet64", "efficientnet_lite0"):
        assert right_before("sample:lion", studio.card(network), right) is True
        assert right_before("sample:lion", studio.card(network), wrong) is False
    assert right_before("upload:/x.png", studio.card("resnet64"), wrong) is None


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
    monkeypatch.setattr(live, "LIVE_IMAGES", 2)
    monkeypatch.setattr(live, "LIVE_ATTACK", "fgsm")
    steps = list(handlers["measure"]("resnet64", MINE, ["resnet64", "resnet64_universal"]))
    tables = [table for _, table, _ in steps if isinstance(table, str) and table]
    cells = [table.count('class="rate"') for table in tables]
    patterns = len(OF_64) + 1 + 2 * len({entry.ball for entry in OF_64} | {"mine"})
    assert cells == list(range(1, 2 * patterns + 2 * (2 + 2) + 1))
    assert "mine (yours)" in tables[-1]
    assert all(plain(entry.name.split(",")[0]) in tables[-1] for entry in OF_64)
    assert "FGSM 10/255, made on Universally trained ResNet-64" in tables[-1]
    assert "2 class impressions" in tables[-1]
    files = [csv for _, table, csv in steps if isinstance(table, str) and table]
    assert [Path(csv["value"]).read_text().count("\n") - 1 for csv in files] == cells, "wherever it is stopped"
    assert "alert" in list(handlers["measure"]("resnet64", {}, []))[-1][0]


def test_without_photographs_the_three_learn_from_drawn_digits(handlers: Handlers, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def training(craft: ImageSet, held_out: ImageSet, *_: Any) -> Iterator[MatrixRow]:
        seen.extend((craft, held_out))
        yield MatrixRow("deepfool", "a1", True, Rate(3, 4), 0.1)

    monkeypatch.setattr(cross_training, "cross_training", training)
    steps = list(handlers["learn"]())
    assert "Drawing digits" in steps[0][0]
    assert "Live: fooling rate on 200 images of drawn digits" in steps[1][1]
    craft, held_out = seen
    assert craft.pixels.shape[1:] == held_out.pixels.shape[1:] == (3, cross_training.SIDE, cross_training.SIDE)
    assert not set(craft.files) & set(held_out.files)
    assert sorted(set(craft.classes)) == sorted(set(held_out.classes)) == list("0123456789")


def test_training_streams_its_accuracies_and_its_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    learnt = [LearnerRow("a1", 1, Rate(1, 4), 0.5), LearnerRow("a1", 2, Rate(2, 4), 1.0)]
    cells = [MatrixRow("deepfool", "a1", True, Rate(3, 4), 0.1)]
    opened = []

    class Some(tuple):
        name = "some"

    monkeypatch.setattr(cross_training, "open_for_halves", lambda *asked: (opened.append(asked), (Some(), Some((1, 2))))[1])
    monkeypatch.setattr(cross_training, "cross_training", lambda *_: iter([*learnt, *cells]))
    steps = list(handlers_of(page_of(transfer_tab.build, Studio(images=tmp_path)))["learn"]())
    assert opened == [(tmp_path, halves.LIMIT)]
    assert "A: 16-32-64, half 1, epoch 2: accuracy 50.0%" in steps[2][0]
    assert "Accuracy: A: 16-32-64, half 1 50.0%." in steps[3][1]
    assert 'class="own"' in steps[3][1]
    assert Path(steps[3][2]["value"]).read_text().count("\n") == 2
