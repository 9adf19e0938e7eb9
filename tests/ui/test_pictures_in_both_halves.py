"""A picture that is crafted on and measured on would flatter a pattern: it is left out, and live runs say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from uap_core.norms import Ball
from uap_core.ui.state import Studio
from uap_core.ui.tabs.craft import order as craft_order
from uap_core.ui.tabs.craft.order import Order, Size
from uap_core.ui.tabs.craft.run import Sight, frames

pytestmark = pytest.mark.filterwarnings("ignore::uap_core.datasets.halves.BothHalvesWarning")


@pytest.mark.parametrize(("twice", "sentence"), [(0, ""), (3, "3 in both halves, not crafted on")])
def test_pictures_in_both_halves_are_said(twice: int, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(craft_order, "SMALL", Size(16, 32, 4, 4))
    monkeypatch.setattr(craft_order, "LEAST_COST", 8)
    for split, first in (("craft", 0), ("held_out", 12 - twice)):
        folder = tmp_path / "mine" / split
        folder.mkdir(parents=True)
        for number in range(first, first + 12):
            pixels = np.random.default_rng(number).integers(0, 256, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    order = Order("resnet64", Ball("linf", 10 / 255), 8, "default", 8, "", 0)
    studio = Studio(images=tmp_path / "mine")
    *_, last = frames(studio, order, Sight("sample:lion"))
    assert "Done in" in last.note
    assert sentence in last.note
    assert bool(twice) == ("in both halves" in last.note)
    # Curves, tables and charts of live runs call their pictures so.
    assert studio.live_set_name("resnet64") == f"pictures of yours (mine{'; ' + sentence if twice else ''})"
    assert studio.live_set_name("resnet64", briefly=True) == "pictures of yours (mine)"
