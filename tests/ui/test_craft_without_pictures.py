"""The Craft tab by methods that need no pictures: with pictures to measure on, and with none at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from uap_core.attacks.menu import ANY
from uap_core.experiments.data_free import ACTIVATIONS, RANDOM, DataFreeRow
from uap_core.metrics import Rate
from uap_core.norms import Ball
from uap_core.plots.data_free import data_free_figure
from uap_core.ui.selection import Selection
from uap_core.ui.state import Studio
from uap_core.ui.tabs.craft import handlers
from uap_core.ui.tabs.craft import order as craft_order
from uap_core.ui.tabs.craft.draft import judged_when_stopped
from uap_core.ui.tabs.craft.order import Order, Size, order
from uap_core.ui.tabs.craft.pace import Pace
from uap_core.ui.tabs.craft.parts import about_method, listed_name
from uap_core.ui.tabs.craft.run import Sight, frames

NETWORK, LION, LINF = "resnet64", "sample:lion", Ball("linf", 10 / 255)
WANTED = Order(NETWORK, LINF, 0, "activations", 16, "", 0)
CHOSEN = Selection(LION, NETWORK, "resnet64-linf10.safetensors", {}, 10.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, dreams: Path) -> None:
    monkeypatch.setattr(craft_order, "LEAST_COST", 16)
    monkeypatch.setattr(craft_order, "SMALL", Size(200, 800, 8, 12))


def test_the_list_and_the_note_say_that_no_picture_is_used() -> None:
    assert listed_name("activations") == "Activations: no pictures"
    assert listed_name("spgd") == "SPGD"
    assert "No picture is used to make it" in about_method("intrinsic")
    assert "No picture" not in about_method("default")


def test_an_order_without_pictures_asks_for_none() -> None:
    found = order(NETWORK, LINF, None, "activations", 800, ANY, None, 0, 0.9)
    assert (found.images, found.delta) == (0, 0.0), "and there is no share of them to stop at"


def test_held_out_pictures_measure_what_was_made_without_any() -> None:
    *_, last = frames(Studio(), WANTED, Sight(LION))
    assert last.pattern
    assert last.pattern.name == "Made here from no pictures, strength 10 of 255, method: Activations"
    assert last.pattern.provenance["craft_set"] == "no images"
    assert last.pattern.provenance["held_out"]["set"] == "12 images of resnet64 (held-out)"
    assert "Fools" in last.note


def test_without_any_picture_here_one_is_made_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Studio, "live_source", lambda self, network: None)
    studio = Studio()
    offered = handlers.offer(studio, Pace(), NETWORK, 200, 16, "activations")
    assert offered["run"]["visible"]
    assert not any(offered[name]["visible"] for name in ("images", "until", "goal", "quick"))
    assert "no pictures under More" in handlers.offer(studio, Pace(), NETWORK, 200, 16, "default")["gap"]
    steps = list(handlers.craft(studio, Pace(), CHOSEN, Sight(LION), None, "activations", 16, ANY, None, 0, 0.9))  # type: ignore[arg-type]
    assert "No pictures are here to measure it on." in steps[-1]["state"]
    draft = steps[-1]["draft"]
    assert abs(draft.values).max() == pytest.approx(10 / 255)
    assert "held_out" not in draft.provenance
    assert judged_when_stopped(studio, draft)[0] == draft


def test_the_controls_come_back_with_a_method_that_needs_pictures() -> None:
    offered = handlers.offer(Studio(), Pace(), NETWORK, 200, 16, "spgd")
    assert all(offered[name]["visible"] for name in ("images", "until", "goal", "run"))


def test_the_chart_has_a_bar_for_each_rate() -> None:
    rows = [DataFreeRow("a", ACTIVATIONS, seed, Rate(8 + seed, 10), 2000, 1.0) for seed in (0, 1)]
    rows.append(DataFreeRow("b", RANDOM, 0, Rate(1, 10), 0, 0.0))
    figure: Figure = data_free_figure(rows, {"a": "First", "b": "Second"}, "title")
    assert [round(bar.get_height(), 3) for bar in figure.axes[0].patches] == [0.85, 0.1], "two seeds are one bar"
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["First", "Second"]


def test_where_the_table_is_not_there_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Studio, "precomputed", lambda self, name, kind: None)
    found = handlers.unfold(Studio(), NETWORK)
    assert found["data_free_said"] == ""
    assert found["data_free"]["visible"] is False
