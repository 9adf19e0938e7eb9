"""The tab Why without a browser: what its events answer, on the embedded network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from tab_pages import as_called

from uap_core.ui import sidebar
from uap_core.ui.state import Studio
from uap_core.ui.tabs.why import tab as why_tab

NETWORK = "resnet64"
SKIPPED = gr.skip()


@pytest.fixture(scope="module")
def handlers() -> dict[str, Callable[..., Any]]:
    """The functions behind the buttons, by the id of the button; of others by name."""
    studio = Studio()
    with gr.Blocks() as demo:
        setup = sidebar.build(studio, demo).setup
        with gr.Tabs(), gr.Tab("Why", elem_id="why") as tab:
            before = set(demo.fns)
            why_tab.build(studio, setup, tab)
    found = {}
    for key, event in demo.fns.items():
        if event.fn is None:
            continue
        for target, name in event.targets if key not in before else ():
            elem_id = demo.blocks[target].elem_id if target is not None else ""
            found.setdefault(elem_id or name, as_called(event.fn))
        if event.name:
            found.setdefault(event.name, as_called(event.fn))
    return found


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why_tab, "LIVE_NORMALS", 9)
    monkeypatch.setattr(why_tab, "LIVE_IMAGES", 8)


def shown(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.get("visible"))


def test_nothing_is_drawn_twice(handlers: dict[str, Callable[..., Any]]) -> None:
    key, *rest = handlers["look_stored"]("", NETWORK)
    assert any(value != SKIPPED for value in rest)
    assert all(value == SKIPPED for value in handlers["look_stored"](key, NETWORK)), "nothing new for the same network"
    assert handlers["look_stored"](key, "separable64")[0] not in (SKIPPED, key)


def test_a_network_without_tables_says_so(handlers: dict[str, Callable[..., Any]]) -> None:
    _, sentence, *rest = handlers["look_stored"]("", "separable64")
    assert "Not precomputed" in sentence
    assert not any(map(shown, rest))


def test_normals_stream_and_end_with_files(handlers: dict[str, Callable[..., Any]]) -> None:
    opening, first, *_, before_last, last = list(handlers["normals-run"](NETWORK))
    assert "Opening" in opening[0]
    assert "Normals of 8 of 9 images" in first[0]
    assert shown(first[1])
    assert not shown(first[2]), "no rates before the last normal"
    assert "Live: normals of 9 and rates on 8 other dreamt images" in last[0]
    assert shown(first[3])
    assert not shown(first[4])
    assert all(map(shown, before_last[2:]))


def test_directions_begin_with_what_costs_no_gradient(handlers: dict[str, Callable[..., Any]]) -> None:
    _, first, *_, before_last, last = list(handlers["directions-run"](NETWORK, "resnet64-l2.safetensors", {}))
    assert "universal pattern" in first[0]
    assert shown(first[1])
    assert "Live: 24 points on 8 dreamt images, directions of 9 others" in last[0]
    for step, points in ((first, 1), (before_last, 24)):
        assert len(Path(step[2]["value"]).read_text().splitlines()) == 1 + points, "wherever it is stopped"


def test_labels_are_counted_batch_by_batch(handlers: dict[str, Callable[..., Any]]) -> None:
    _, first, *_, before_last, last = list(handlers["labels-run"](NETWORK, "resnet64-linf10.safetensors", {}, 10.0))
    assert "32 of 256 images" in first[0]
    assert "Live on 256 dreamt images, l_inf 10/255" in last[0]
    assert shown(first[1])
    assert all(map(shown, (first[2], before_last[2])))


def test_epsilon_out_of_range_is_a_sentence(handlers: dict[str, Callable[..., Any]]) -> None:
    *_, last = list(handlers["labels-run"](NETWORK, "resnet64-linf10.safetensors", {}, 99.0))
    assert "Epsilon must lie between" in last[0]
