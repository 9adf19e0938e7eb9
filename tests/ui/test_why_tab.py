"""The tab Why without a browser: what its events answer, on the embedded network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from tab_pages import handlers_by_button

from uap_core.experiments.label_graph import Move
from uap_core.ui.tabs.why import frame
from uap_core.ui.tabs.why import tab as why_tab
from uap_core.ui.tabs.why.flow import flow
from uap_core.ui.tabs.why.stored import told

NETWORK = "resnet64"
SKIPPED = gr.skip()


@pytest.fixture(scope="module")
def handlers() -> dict[str, Callable[..., Any]]:
    return handlers_by_button(why_tab.build, "Why")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "LIVE_NORMALS", 9)
    monkeypatch.setattr(frame, "LIVE_IMAGES", 8)


def shown(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.get("visible"))


PATTERN = "resnet64-linf10.safetensors"
MOVES = [Move("lion", "abacus", 6), Move("<cat>", "abacus", 2), Move("<cat>", "pizza", 1), Move("abacus", "abacus", 1)]


def test_nothing_is_drawn_twice(handlers: dict[str, Callable[..., Any]]) -> None:
    key, *rest = handlers["look_labels"]("", NETWORK, PATTERN)
    assert any(value != SKIPPED for value in rest)
    assert all(value == SKIPPED for value in handlers["look_labels"](key, NETWORK, PATTERN)), "nothing new for the same choice"
    assert handlers["look_labels"](key, "separable64", PATTERN)[0] not in (SKIPPED, key)


@pytest.mark.parametrize(
    ("pattern", "label", "strength"),
    [(PATTERN, "abacus", "strength 10 of"), ("resnet64-l2", "brain coral", "length 2000 (l2)")],
)
def test_the_picture_is_that_of_the_chosen_pattern(
    handlers: dict[str, Callable[..., Any]], pattern: str, label: str, strength: str
) -> None:
    file = f"{pattern.removesuffix('.safetensors')}.safetensors"
    _, lesson, picture, below, csv = handlers["look_labels"]("", NETWORK, file)
    assert f"end as {label}." in lesson
    assert "2500 photographs that no pattern was made from" in lesson
    assert "not of your choice" not in lesson
    assert f">{label}</text>" in picture
    assert strength in below
    assert shown(csv)


def test_what_nobody_counted_is_said_and_whose_picture_it_is(handlers: dict[str, Callable[..., Any]]) -> None:
    for network, pattern, whose in (
        ("resnet64", "random-signs", "ResNet-64, strength 10 of 255"),
        ("vgg64", "vgg64-linf10.safetensors", "ResNet-64, strength 10 of 255"),
    ):
        _, lesson, picture, below, _ = handlers["look_labels"]("", network, pattern)
        assert f"This is not of your choice, but of {whose} on ResNet-64" in lesson
        assert "has not been counted for your choice yet" in below
        assert "<svg" in picture


def test_the_picture_has_the_names_and_the_share_of_what_swallows_them() -> None:
    html = flow(MOVES, "so & so")
    assert 'aria-label="so &amp; so"' in html
    assert "&lt;cat&gt;" in html
    assert html.count(">abacus</text>") == 2, "in the wide drawing and in the narrow one"
    assert html.count("90% of all") == 2
    assert told(MOVES, "10 images of x (held-out)") == (
        "It pushes nearly all photographs the same way: 90% of 10 photographs that no pattern was made from (x) end as abacus."
    )
    spread = [Move(name, becomes, 1) for name, becomes in zip("abcdefgh", "xxyyzzuv", strict=True)]
    assert 'class="flow several"' in flow(spread, "")
    assert flow(spread, "").count("<svg") == 3
    assert "75% of 8 photographs that no pattern was made from (x) end as one of 3: x, y, z." in told(
        spread, "8 images of x (held-out)"
    )
    assert flow([Move("a", "a", 3)], "") == "", "nothing moves"


def test_a_section_without_tables_says_so(handlers: dict[str, Callable[..., Any]]) -> None:
    _, sentence, *rest = handlers["look_stored"]("", "separable64")
    assert "Not precomputed" in sentence
    assert not any(map(shown, rest))
    _, sentence, *rest = handlers["look_stored"]("", NETWORK)
    assert "2500 photographs that no pattern was made from" in sentence
    assert all(map(shown, rest))


def test_normals_stream_and_end_with_files(handlers: dict[str, Callable[..., Any]]) -> None:
    opening, first, *_, before_last, last = list(handlers["normals-run"](NETWORK))
    assert "Opening" in opening[0]
    assert "Normals: 8 of 9" in first[0]
    assert shown(first[1])
    assert not shown(first[2]), "no rates before the last normal"
    assert "Live: normals of 9 and rates on 8 other class impressions" in last[0]
    assert shown(first[3])
    assert not shown(first[4])
    assert all(map(shown, before_last[2:]))


def test_directions_begin_with_what_costs_no_gradient(handlers: dict[str, Callable[..., Any]]) -> None:
    _, first, *_, before_last, last = list(handlers["directions-run"](NETWORK, "resnet64-l2.safetensors", {}))
    assert "universal pattern" in first[0]
    assert shown(first[1])
    assert "Live: 24 points on 8 class impressions, directions of 9 others" in last[0]
    for step, points in ((first, 1), (before_last, 24)):
        assert len(Path(step[2]["value"]).read_text().splitlines()) == 1 + points, "wherever it is stopped"


def test_labels_are_counted_batch_by_batch(handlers: dict[str, Callable[..., Any]]) -> None:
    _, first, *_, before_last, last = list(
        handlers["labels-run"]("sample:lion", NETWORK, "resnet64-linf10.safetensors", {}, 10.0)
    )
    assert "Images: 32 of 256" in first[0]
    assert "Live on 256 class impressions, strength 10 of 255" in last[0]
    assert shown(first[1])
    assert all(map(shown, (first[2], before_last[2])))


def test_epsilon_out_of_range_is_a_sentence(handlers: dict[str, Callable[..., Any]]) -> None:
    *_, last = list(handlers["labels-run"]("sample:lion", NETWORK, "resnet64-linf10.safetensors", {}, 99.0))
    assert "The strength must lie between" in last[0]
