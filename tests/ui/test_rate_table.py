from __future__ import annotations

import re

from uap_core.experiments.origins import MatrixRow
from uap_core.metrics import Rate
from uap_core.ui.html.rate_table import rate_table

NAMES = {"a.safetensors": "a <b>pattern</b>", "one": "One & only"}
ROWS = [
    MatrixRow("a.safetensors", "one", True, Rate(30, 100)),
    MatrixRow("a.safetensors", "two", False, Rate(7, 100)),
    MatrixRow("random_signs", "one", False, Rate(0, 100), p="linf", size=10 / 255),
]


def test_names_are_escaped() -> None:
    html = rate_table(ROWS, NAMES, "on <i>these</i>", "made <u>here</u>")
    assert not re.search("<[biu]>", html)
    assert "a &lt;b&gt;pattern&lt;/b&gt;" in html
    assert "One &amp; only" in html
    assert ">two<" in html, "a network that nobody knows is called by its key"
    assert "random noise, strength 10 of 255" in html


def test_each_cell_states_its_interval_to_pointers_and_to_readers() -> None:
    html = rate_table(ROWS, NAMES, "caption")
    low, high = Rate(30, 100).interval
    about = f"95 % interval {low:.1%} to {high:.1%}, 30 of 100"
    (own,) = re.findall(r'<td class="own".*?</td>', html)
    assert f'title="{about}"' in own
    assert f"crafted on this network, {about}</span>" in own
    assert "--rate: 30%" in own
    assert html.count("95 % interval ") == 2 * len(ROWS), "none for the cell that is not there yet"
    assert html.count('scope="row"') == 2
    assert html.count('scope="col"') == 3
    assert re.findall(r'class="rate">(.*?)<', html) == ["30.0%", "7.0%", "0.0%"]
    assert "<td></td>" in html


def test_distortions_are_the_last_column() -> None:
    rows = [MatrixRow("noise", key, False, Rate(1, 2), 10 / 255) for key in ("one", "two")]
    html = rate_table([*rows, ROWS[1]], NAMES, "caption")
    lines = html.split("<tr>")
    assert lines[1].endswith('<th scope="col">av. distortion</th></tr>')
    assert lines[2].endswith('<td title="10/255">0.0392</td></tr>')
    assert lines[3].startswith('<th scope="row">a &lt;b')
    assert "<td></td></tr>" in lines[3]
    assert "distortion" not in rate_table(ROWS, NAMES, "caption")


def test_the_row_of_the_chosen_pattern_stands_out() -> None:
    html = rate_table(ROWS, NAMES, "caption", marked="a.safetensors")
    (marked,) = re.findall(r'<tr class="chosen">(.*?)</tr>', html)
    assert "a &lt;b&gt;pattern" in marked
    assert "chosen" not in rate_table(ROWS, NAMES, "caption")
