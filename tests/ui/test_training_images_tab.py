"""What the tab Training images answers, in every state."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tab_pages import handlers_of, page_of

from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.few_pictures import FEW, FewRow
from uap_core.experiments.sample_curve import SampleRow
from uap_core.io.results import mean_rate
from uap_core.ui.state import Studio
from uap_core.ui.tabs import training_images as samples_tab

STUDIO = Studio()


@pytest.fixture(scope="module")
def handlers() -> dict[str, Callable[..., Any]]:
    return handlers_of(page_of(samples_tab.build))


def mean_rates(network: str) -> dict[int, float]:
    rows = STUDIO.precomputed(f"{network}-curve-real", SampleRow).rows
    return {size: mean_rate([row.held_out_rate for row in rows if row.images == size]) for size in {row.images for row in rows}}


@pytest.mark.parametrize("network", ["resnet64", "squeezenet1_1_caffe"])
def test_the_answer_has_the_figures_of_the_networks_own_curve(network: str, handlers: dict[str, Callable[..., Any]]) -> None:
    *_, answer = handlers["look_stored"]("", network)
    rates = mean_rates(network)
    few = int(re.findall(r"made from (\d+) photographs", answer)[0])
    most = max(rates)
    assert all(rates[size] < rates[most] - 0.02 for size in rates if size < few)
    assert re.findall(r"[\d.]+%", answer)[:3] == [f"{rates[size]:.1%}" for size in (few, 1, most)]
    assert "not computed" not in answer


def test_a_single_picture_is_worth_what_the_method_for_few_makes_of_it(handlers: dict[str, Callable[..., Any]]) -> None:
    network = "efficientnet_lite0"
    rows = [row for row in STUDIO.precomputed(f"{network}-few-pictures", FewRow).rows if row.method == FEW and row.images == 1]
    _, _note, chart, *_, answer = handlers["look_stored"]("", network)
    assert len(rows) == 3
    assert f"gets {mean_rate([row.fooling_rate for row in rows]):.1%} out of one photograph." in answer
    assert "made by the method for few pictures" in chart["value"].chart
    assert "few pictures" not in handlers["look_stored"]("", "resnet64")[-1], "not computed there"


def test_where_nothing_is_computed_another_networks_curve_is_shown_under_its_name(
    handlers: dict[str, Callable[..., Any]],
) -> None:
    _, _note, chart, methods, *_, answer = handlers["look_stored"]("", "vgg64")
    assert "VGG-64 this is not computed yet" in answer
    assert "ResNet-64" in answer
    assert chart["value"].chart.startswith("ResNet-64")
    assert methods["value"].chart.startswith("ResNet-64")


def test_the_papers_curve_stands_among_the_methods_and_says_whose_it_is(handlers: dict[str, Callable[..., Any]]) -> None:
    assert "another network" not in samples_tab.METHODS
    _, _, chart, methods, *_ = handlers["look_stored"]("", "squeezenet1_1_caffe")
    assert "the paper" not in chart["value"].chart
    assert "the paper: GoogLeNet, its DeepFool method" in methods["value"].chart


def test_live_points_are_over_the_curve_and_all_patterns_are_named(
    monkeypatch: pytest.MonkeyPatch, handlers: dict[str, Callable[..., Any]]
) -> None:
    craft, held_out = (part.prefix(5) for part in STUDIO.craft_and_held_out("resnet64"))
    sets: tuple[ImageSet, ImageSet] = craft, held_out
    monkeypatch.setattr(Studio, "craft_and_held_out", lambda studio, network: sets)
    monkeypatch.setattr(samples_tab, "LIVE_BUDGET", 16)
    steps = list(handlers["craft"]("sample:lion", "resnet64", "resnet64-linf10.safetensors", {}, 10.0))
    figures = [step[2]["value"] for step in steps if "value" in step[2]]
    assert len(figures) == 3
    assert all("data-live" in figure and "made from photographs" in figure.chart for figure in figures)
    assert "crafted on 1, 4, 5 images are now in the list" in steps[-1][0]
    *_, found = steps[-2]
    assert [pattern.name.split()[3] for pattern in found] == ["1", "4", "5"]
    said, _note, chart, *_, answer, npy, _made = handlers["cleared"]("resnet64", "resnet64-linf10.safetensors")
    assert not npy["visible"]
    assert said == ""
    assert "83.5%" in answer
    assert "data-live" not in chart["value"]


def test_on_large_pictures_a_live_pattern_repeats_one_tile_as_in_craft(
    monkeypatch: pytest.MonkeyPatch, handlers: dict[str, Callable[..., Any]]
) -> None:
    sets = tuple(part.prefix(2) for part in STUDIO.craft_and_held_out("efficientnet_lite0"))
    monkeypatch.setattr(Studio, "craft_and_held_out", lambda studio, network: sets)
    monkeypatch.setattr(samples_tab, "LIVE_BUDGET", 4)
    *_, last, _end = handlers["craft"]("sample:lion", "efficientnet_lite0", "efficientnet_lite0-linf10.safetensors", {}, 10.0)
    pattern = last[-1][-1].values
    assert pattern.any()
    assert (pattern == np.tile(pattern[:, :56, :56], (1, 4, 4))).all()


def test_an_epsilon_of_0_is_answered_with_a_sentence(handlers: dict[str, Callable[..., Any]]) -> None:
    last = list(handlers["craft"]("sample:lion", "resnet64", "resnet64-linf10.safetensors", {}, 0.0))[-1]
    assert "above 0" in last[0]
