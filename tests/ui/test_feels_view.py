"""The first part of the tab Why: dots, spotlights, channels, and the fold about the limit."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tab_pages import handlers_by_button

from uap_core.experiments.class_map_rows import MapRow
from uap_core.experiments.feature_plane import PlaneRow
from uap_core.experiments.limit import LimitRow, NeverRow, TraitRow
from uap_core.io.results import Table
from uap_core.metrics import Rate
from uap_core.ui.state import Studio
from uap_core.ui.tabs.why import feels
from uap_core.ui.tabs.why.dots import dots, gathered
from uap_core.ui.tabs.why.frame import Page
from uap_core.ui.tabs.why.limit import never_html, told
from uap_core.ui.tabs.why.spotlight import DARKEST, pair, spotlight

NETWORK, PATTERN = "resnet64", "resnet64-linf10.safetensors"


@pytest.fixture(scope="module")
def handlers() -> dict[str, Callable[..., Any]]:
    return handlers_by_button(lambda studio, setup, tab: feels.build(Page(studio, setup, tab)), "Why")


def row(x: float, to: float, becomes: str, after: float = 0.9) -> PlaneRow:
    return PlaneRow("<cat>", becomes, x, 0, to, 0, x, 0.5, 0.2, after, 0.21, 0.25)


def test_each_photograph_is_a_dot_that_moves() -> None:
    html = dots([row(-1, 0, "hub"), row(1, 0, "hub"), row(0, 0.5, "<cat>")], 'so & "so"')
    assert 'aria-label="so &amp; &quot;so&quot;"' in html
    assert html.count("<circle ") == 2 * 3 + 4, "in both drawings, and two rings in each"
    assert html.count('class="hub"') == 2, "those that end at the most frequent label"
    moves = re.findall(r'cx="([\d.]+)"[^>]*--dx:(-?[\d.]+)px', html)
    assert float(moves[0][0]) + float(moves[0][1]) == pytest.approx(float(moves[1][0]) + float(moves[1][1]), abs=0.2)
    assert "&lt;cat&gt; → hub" in html


def test_the_sentence_says_what_the_rows_say() -> None:
    assert "grows from 0.20 to 0.90 with the pattern; with random noise it is 0.21" in gathered([row(0, 0, "a")], "Toy")
    assert "do not draw together" in gathered([row(0, 0, "a", 0.1)], "Toy")


def test_the_light_falls_where_the_map_is_high() -> None:
    picture = np.full((8, 8, 3), 200, np.uint8)
    lit = spotlight(picture, MapRow("clean", "cat", 0.9, "exact", 2, [1.0, -3.0, 0.0, 0.0]))
    assert lit[0, 0].tolist() == [200] * 3
    assert lit[0, 7].tolist() == [round(200 * DARKEST)] * 3
    assert lit[7, 7].max() <= 1.1 * 200 * DARKEST, "what is between is drawn smoothly"
    html = pair(picture, picture, [MapRow(of, "<cat>", 0.9, "exact", 1, [1.0]) for of in ("clean", "pattern")], "x & y")
    assert "&lt;cat&gt;" in html
    assert "x &amp; y" in html


def test_precomputed_rows_of_the_network_are_shown_and_whose_they_are(handlers: dict[str, Callable[..., Any]]) -> None:
    _, note, said, drawn, channels, csv = handlers["look_stored_felt"]("", NETWORK, PATTERN)
    assert "different photographs become alike" in said
    assert "300 of 2500 photographs that no pattern was made from" in note
    assert drawn.count("<circle ") == 2 * 302
    assert channels.count("<figure>") == 5
    assert channels.count("<img ") == 20
    assert csv["visible"]
    _, note, *_ = handlers["look_stored_felt"]("", NETWORK, "resnet64-l2.safetensors")
    assert "has not been computed for the pattern that you chose" in note
    _, note, said, drawn, *_ = handlers["look_stored_felt"]("", "vgg64", "vgg64-linf10.safetensors")
    assert "Not precomputed for VGG" in note
    assert not drawn


def test_the_first_photograph_needs_no_torch_and_others_a_pass(
    handlers: dict[str, Callable[..., Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = feels.usual(Studio(), NETWORK)
    with monkeypatch.context() as patch:
        patch.setattr(Studio, "classifier", lambda self, key: pytest.fail("the network was loaded"))
        _, error, spots = handlers["look_looks"]("", first.photo, NETWORK, PATTERN, {}, 10.0)
    assert not error
    assert spots.count("<img ") == 2
    _, error, other = handlers["look_looks"]("", first.photo, NETWORK, PATTERN, {}, 12.0)
    assert not error
    assert other.count("<img ") == 2
    assert other != spots
    _, error, spots = handlers["look_looks"]("", first.photo, NETWORK, PATTERN, {}, 99.0)
    assert "The strength must lie between" in error
    assert not spots


def test_a_run_measures_the_chosen_pattern(handlers: dict[str, Callable[..., Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feels, "LIVE_IMAGES", 40)
    _opening, first, *_, last = list(handlers["feels-run"]("sample:lion", NETWORK, PATTERN, {}, 10.0))
    assert "Images: 32 of 40" in first[0]
    assert "Live: 40 class impressions" in last[0]
    assert last[2].count("<circle ") == 2 * 42
    assert "channel" in last[3]


def test_the_limit_in_words() -> None:
    rows = [LimitRow("toy", spent, 500, Rate(count, 200), 0.1) for spent, count in ((2000, 160), (100_000, 190))]
    assert "2\u202f000 looks at a picture fool 80.0% of 200" in told(rows, "Toy")
    assert "100\u202f000 looks 95.0%: +15.0 points for 50 times the effort" in told(rows, "Toy")
    never = Table("", [NeverRow("toy", Rate(10, 200), ["a", "b"], ["<cat> 3/4"])], {"held_out": "200 images of x (held-out)"})
    html = never_html(never, [TraitRow("toy", "margin", 5.0, 0.5, 3.0, 0.2, 0.8)], "Toy")
    assert "5.0% of 200 photographs that no pattern was made from (x) never fall: none of the 2 patterns" in html
    assert "&lt;cat&gt; 3/4" in html
    assert "5 ± 0.5" in html
    assert "0.80" in html


def test_the_layout_imports_no_torch() -> None:
    import subprocess

    program = "import sys, uap_core.ui.tabs.why.tab, uap_core.ui.tabs.why.felt_tables; sys.exit('torch' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
