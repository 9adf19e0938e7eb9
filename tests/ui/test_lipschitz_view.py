from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from tab_pages import handlers_of, page_of

from uap_core.experiments.certified_radius import LayerRow, RadiusRow
from uap_core.io.results import Table, write_table
from uap_core.ui import state as studio
from uap_core.ui.state import Studio
from uap_core.ui.tabs.why import cone
from uap_core.ui.tabs.why import lipschitz as lipschitz_view
from uap_core.ui.tabs.why.lipschitz import NOTHING, layers_table

LAYERS = [
    LayerRow("conv<1>", 1, "convolution", "8 x 3 x 3 x 3", "2 x 2", 2.5, 2.4, 2.5),
    LayerRow("", 1, "<mul>", "", "", math.inf, None, math.inf, "unknown"),
    LayerRow("logits", 1, "whole", "", "", None, None, math.inf),
]
PICTURES = [RadiusRow("a.png", "cat", 1.0, 1e-6, 0.5, 3.0)]


def test_the_table_is_escaped_and_names_what_is_not_known() -> None:
    html = layers_table(LAYERS)
    assert "conv&lt;1&gt;" in html
    assert html.count("&lt;mul&gt;") == 3, "its name, its kind and the reason"
    assert html.count("not known") == 3
    assert "2.5" in html
    assert "inf" not in html


@pytest.fixture
def handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[..., Any]]:
    """The view's functions by name, with a folder of results of its own."""
    monkeypatch.setattr(studio, "RESULTS", tmp_path)
    return handlers_of(page_of(lipschitz_view.build))


def test_a_network_without_results_is_told_so(handlers: dict[str, Callable[..., Any]]) -> None:
    _, note, table, *_ = handlers["look_stored_bounds"]("", "resnet64")
    assert NOTHING in note
    assert table == ""


def test_precomputed_results_are_shown_as_such_and_once(handlers: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    stated = {"weights_sha256": Studio().card("resnet64").sha256, "time": "2026-11-25T00:00:00", "held_out": "1 image"}
    layers = [LAYERS[0], LayerRow("logits", 1, "whole", "", "", None, None, 2.5)]
    write_table(Table("layers", layers, stated), tmp_path / "resnet64-lipschitz.json")
    write_table(Table("pictures", PICTURES, stated), tmp_path / "resnet64-certified.json")
    shown, note, table, layers_chart, alexnet, radii_chart, layers_csv, radii_csv = handlers["look_stored_bounds"](
        "", "resnet64"
    )
    assert "Precomputed 2026-11-25, on 1 image." in note
    assert "ResNet-64: L = 2.5" in note
    assert "conv&lt;1&gt;" in table
    assert layers_chart["visible"]
    assert "AlexNet" in str(alexnet["value"])
    assert radii_chart["visible"]
    assert Path(layers_csv["value"]).read_text().startswith("name,number,kind,shape")
    assert "a.png" in Path(radii_csv["value"]).read_text()
    assert all(value == gr.skip() for value in handlers["look_stored_bounds"](shown, "resnet64"))
    stale = json.loads((tmp_path / "resnet64-lipschitz.json").read_text()) | {"provenance": stated | {"weights_sha256": "x"}}
    (tmp_path / "resnet64-lipschitz.json").write_text(json.dumps(stale))
    assert NOTHING in handlers["look_stored_bounds"]("", "resnet64")[1]


def test_a_live_run_streams_layers_then_pictures(
    handlers: dict[str, Callable[..., Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uap_core.bounds.layers.Convolution.circular_bound", lambda self: 1.0)  # seconds, for 18 layers
    monkeypatch.setattr("uap_core.bounds.layers.Convolution.real_norm", lambda self, generator: 1.0)
    monkeypatch.setattr("uap_core.experiments.certified_radius.IMAGES", 1)
    opening, *steps, before_last, last = list(handlers["measure"]("resnet64"))
    assert "Opening the network" in opening[0]
    tables = [step[1].count("<tr>") for step in steps if isinstance(step[1], str)]
    assert tables == sorted(tables)
    assert tables[0] == 2
    assert any("layers are bounded" in step[0] and step[2]["visible"] for step in steps)
    assert "images attacked" in before_last[0]
    assert "class impressions: L = " in last[0]
    assert all(shown["visible"] for shown in last[2:])


def test_the_drawn_cone_holds_its_curve_and_certifies_less_than_is_there() -> None:
    places = [cone.LEFT + (cone.RIGHT - cone.LEFT) * i / 1000 for i in range(1001)]
    away = [abs(x - cone.PLACE) for x in places]
    moved = [abs(cone.curve(x) - cone.curve(cone.PLACE)) for x in places]
    assert all(move <= cone.BOUND * far + 1e-9 for far, move in zip(away, moved, strict=True))
    assert all(cone.curve(x) > 0 for x, far in zip(places, away, strict=True) if far < cone.crossing() - 1e-6)
    assert cone.curve(cone.PLACE - cone.crossing()) == pytest.approx(0, abs=1e-9)
    assert 0 < cone.certified() < cone.crossing()
    assert f"{cone.certified():.2f} each way" in cone.picture()
