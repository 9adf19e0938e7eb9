"""The rooms of games: what they show where files are missing, and what a visitor's page may ask of a generator."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from tab_pages import handlers_of, looked, page_of

from uap_core.experiments.generator_draws import place_codes, places
from uap_core.experiments.generator_rows import BesideRow, DrawRow, PlaceRow, TradeRow, TransferRow
from uap_core.io.results import Table
from uap_core.metrics import Rate
from uap_core.norms import Ball
from uap_core.perturbations.generator_network import GeneratorShape
from uap_core.perturbations.generators import PatternGenerator, load_generator
from uap_core.plots.generators import trade_figure
from uap_core.ui.state import Studio
from uap_core.ui.tabs.games import defence, figures, patterns, polygon

LABELS = ("abacus", "bee", "umbrella")
BALLS = (Ball("linf", 10 / 255), Ball("l2", 2000 / 255))


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """With generators of random weights for both norms and tables of made-up rates, as files that ship."""
    shape = GeneratorShape(2 + len(LABELS), 64, 64, 2)
    weights, statistics = shape.start(torch.Generator().manual_seed(0))
    for file, ball in zip(polygon.FILES, BALLS, strict=True):
        PatternGenerator(shape, ball, LABELS, weights, statistics).save(tmp_path / f"{file}.safetensors")
    made = load_generator(tmp_path / f"{polygon.FILE}.safetensors")
    monkeypatch.setattr(polygon, "GENERATORS", tmp_path)
    rows = [PlaceRow(x, y, mix, Rate(30 + i, 100), mix) for i, (x, y, mix) in enumerate(places(3))]
    noise = place_codes(made, torch.eye(3))[0, :2].tolist()
    told = {"labels": list(LABELS), "noise": noise, "stress": 2.0, "p": "linf", "held_out": "100 images of a set"}
    beside = [BesideRow("walk", "a, b", Rate(70, 100))]
    tables = {f"{polygon.FILE}-places": Table("", rows, told), f"{polygon.FILE}-beside": Table("", beside, told)}
    tables |= {f"{polygon.FILES[1]}-places": Table("", rows, told | {"p": "l2"})}
    tables |= {f"{polygon.FILES[1]}-beside": Table("", [BesideRow("walk", "a, b", Rate(97, 100))], told)}
    halves = [BesideRow(kind, "a, b", Rate(count, 100)) for kind, count in (("blend of targets", 44), ("blend of seeds", 55))]
    tables[f"{polygon.FILE}-blends"] = Table("", halves, told)
    beside += [BesideRow("middle", "a, b", Rate(76, 100)), BesideRow("middle", "a, c", Rate(72, 100))]
    draws = [DrawRow(polygon.FILE, seed, 100, 0.82, 0.02, 0.78, 0.86, 0.3, 0.31, 3, 0.43, 0.37) for seed in range(3)]
    tables |= {f"{polygon.FILE}-draws": Table("", draws, told)}
    l2 = [DrawRow(polygon.FILES[1], 0, 100, 0.97, 0.02, 0.93, 0.99, 0.9, 0.31, 3, 0.12, 0.04)]
    tables |= {f"{polygon.FILES[1]}-draws": Table("", l2, told | {"held_out": "60 images of digits (held-out)"})}
    large = DrawRow("", 0, 20, 0.71, 0.02, 0.64, 0.79, 0.3, 0.31, 3, 0.43, 0.37)
    tables["efficientnet_lite0-hubs-linf10-draws"] = Table("", [large], told | {"held_out": "300 images of others (held-out)"})
    tables["resnet64-generators-trade"] = Table("", trades(), {})
    tables["resnet64-generators-transfer"] = Table("", transfers(), told)
    studio = Studio()
    monkeypatch.setattr(studio, "precomputed", lambda name, _row: tables.get(name))
    return studio


def transfers() -> list[TransferRow]:
    """Two seeds on three networks, column by column."""
    rates = {"resnet64": (0.8, 0.7), "vgg64": (0.5, 0.4), "resnet64_universal": (0.2, 0.1)}
    return [
        TransferRow(polygon.FILE, seed, network, 12, rate, 0.021, rate - 0.05)
        for network, means in rates.items()
        for seed, rate in enumerate(means)
    ]


def trades() -> list[TradeRow]:
    pairs = ((0.3, 0.0, 0.6, 0.2), (0.3, 2.0, 0.8, 0.3), (0.3, 8.0, 0.85, 0.7), (0.0, 2.0, 0.82, 0.8), (0.6, 2.0, 0.7, 0.25))
    return [TradeRow(alone, weight, mean, 0.5, 0.9, cosine, 0.4, 0.3, Rate(70, 100)) for alone, weight, mean, cosine in pairs]


@pytest.fixture
def handlers(studio: Studio) -> dict[str, Any]:
    return handlers_of(page_of(patterns.build, studio))


def event(**data: Any) -> gr.EventData:
    return gr.EventData(None, data)


def test_the_page_is_sent_what_was_measured(studio: Studio) -> None:
    sent = polygon.sent(studio, polygon.FILE)
    assert sent is not None
    shown = json.loads(unescape(re.search(r'data-sent="([^"]*)"', polygon.stage(sent)).group(1)))  # type: ignore[union-attr]
    assert [spot["fooled"] for spot in shown["places"]] == [row.fooled.value for row in sent.rows]
    assert shown["labels"] == list(LABELS)
    assert shown["places"][shown["start"]]["mix"] == [1, 0, 0]
    assert shown["signs"] is True


def test_a_place_is_answered_for_the_chosen_photograph(handlers: dict[str, Any]) -> None:
    said, seen, _grid, _seed, place, chosen, *_other = handlers["move"]("sample:running", 0, 0, event(which=0, place=7))
    assert said == ""
    assert (place, chosen) == (7, ("place", 0, 7))
    assert "ResNet-64" in seen
    assert "gradio_api/file=" in seen


def test_blends_seeds_and_the_large_network_are_told(studio: Studio) -> None:
    sents = polygon.all_sent(studio)
    text = unescape(figures.told(studio, sents[0]))
    assert "fool 74% on average, 72% at least" in text
    assert "made for the same labels, fool 44%, 44% at least" in text
    assert text.count("told which label</th>") == 3
    assert "100 draws of each, on 100 images of a set." in text
    assert "In l2: on 60 photographs that no pattern was made from (digits)." in text
    assert "20 draws fool 71% on average, 64% to 79%, of 300 photographs" in text
    assert "Halfway" not in figures.told(studio, sents[1]), "of the other norm that was not measured"


def test_every_generator_is_told_of_on_every_network(studio: Studio) -> None:
    """A row for each seed, a column for each network, and the mean of the others, of which its own is none."""
    text = unescape(figures.told(studio, polygon.all_sent(studio)[0]))
    assert "12 draws of each generator on every network of its size, on 100 images of a set" in text
    table = text[text.index('<table class="matrix">') :]
    lines = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in re.findall(r"<tr>(.*?)</tr>", table)]
    assert [len(line) for line in lines] == [5, 5, 5]
    assert lines[1][1:] == [
        "80.0% ± 2.1<br><small>75.0%</small>",
        "50.0% ± 2.1<br><small>45.0%</small>",
        "20.0% ± 2.1<br><small>15.0%</small>",
        "35.0%",
    ]
    assert lines[2][0].endswith("seed 1")
    assert lines[2][-1] == "25.0%"
    assert table.count('class="own"') == 2


def test_the_trade_off_is_drawn(studio: Studio) -> None:
    (axes,) = trade_figure(trades(), "").axes
    weights, shares = (list(zip(*line.get_data(), strict=True)) for line in axes.get_lines())
    assert weights == [(0.2, 0.6), (0.3, 0.8), (0.7, 0.85)]
    assert shares == [(0.8, 0.82), (0.3, 0.8), (0.25, 0.7)], "from the shortest share to the longest"
    assert [text.get_text() for text in axes.texts] == ["0", "2", "8", "0%", "30%", "60%"]
    assert "more weight on fooling" in str(looked(page_of(patterns.build, studio), "traded")[0])


def test_the_other_norm_brings_its_own_answer_draws_and_tables(handlers: dict[str, Any]) -> None:
    found = handlers["move"]("sample:running", 0, 5, event(which=1, place=0))
    _said, _seen, grid, _seed, _place, chosen, which, answer, told = found
    assert (which, chosen) == (1, ("place", 1, 0))
    assert 'data-pick="1-5-0"' in grid
    assert "in l2" in answer
    assert "97.0%" in told
    _said, own, _asked, _staged = handlers["keep"](chosen, "sample:running", "resnet64", {}, ("", 0), (None, 0))
    (pattern,) = own.values()
    assert (pattern.p, pattern.radius) == ("l2", pytest.approx(2000 / 255))
    assert float(np.linalg.norm(pattern.values)) == pytest.approx(2000 / 255, rel=1e-4)


def test_the_opened_room_shows_photograph_and_draws(studio: Studio) -> None:
    seen, grid = looked(page_of(patterns.build, studio), "fill", "sample:running", 0, 0, 5)
    assert "ResNet-64" in seen
    assert grid.count("data-pick") == patterns.EACH * len(LABELS)
    assert "0-5-0" in grid


@pytest.mark.parametrize("wrong", [-1, 31, 10**9, True, None, "3", 1.5, [1], {}])
def test_places_that_are_none_are_refused(handlers: dict[str, Any], wrong: Any) -> None:
    assert "no longer there" in handlers["move"]("sample:running", 0, 0, event(which=0, place=wrong))[0]
    assert "no longer there" in handlers["move"]("sample:running", 0, 0, event(which=wrong, place=0))[0]


@pytest.mark.parametrize("wrong", ["", "0", "0-0", "0-0-", "-1", "0-0-99", "x-0-1", "7-0-1", "0-9999999-0"])
def test_draws_that_are_none_are_refused(handlers: dict[str, Any], wrong: str) -> None:
    assert "no longer there" in handlers["pick"](event(key=wrong))[0]


def test_the_kept_pattern_is_the_shown_one(studio: Studio, handlers: dict[str, Any]) -> None:
    said, own, asked, _staged = handlers["keep"](("place", 0, 0), "sample:running", "resnet64", {}, ("", 4), (None, 0))
    (pattern,) = own.values()
    made = load_generator(polygon.GENERATORS / f"{polygon.FILE}.safetensors")
    wanted = made.patterns(place_codes(made, torch.full((1, 3), 1 / 3)))[0]
    assert torch.allclose(torch.from_numpy(pattern.values), wanted)
    assert asked == (f"own:{pattern.name}", 5)
    assert pattern.name in said
    assert studio.perturbation(f"own:{pattern.name}", "resnet64", own).ball == Ball("linf", 10 / 255)
    assert ("draw", 1, 3, 4) in handlers["pick"](event(key="1-3-4"))


def test_a_draw_brings_its_network_to_whoever_has_chosen_a_larger_one(studio: Studio, handlers: dict[str, Any]) -> None:
    other = SimpleNamespace(input_size=224)
    small = studio.card("resnet64")
    studio.card = lambda key: other if key == "large" else small  # type: ignore[method-assign, assignment]
    _said, own, asked, staged = handlers["keep"](("draw", 0, 1, 2), "sample:running", "large", {}, ("", 4), (None, 7))
    (name,) = own
    assert (staged[0].network, staged[0].pattern, staged[0].epsilon, staged[1]) == ("resnet64", f"own:{name}", 10, 8)
    assert asked["__type__"] == "update"


def test_without_files_the_room_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polygon, "GENERATORS", tmp_path)
    page = page_of(patterns.build)
    assert any(patterns.GONE in str(block.value) for block in page.blocks.values() if isinstance(block, gr.HTML))


def test_the_link_to_defence_quotes_what_was_measured(studio: Studio) -> None:
    text = defence.link(studio)
    assert "80%" in text
    assert "20%" in text
