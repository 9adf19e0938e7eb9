"""What one tab says of a photograph under a pattern, the others say too, on networks that get it shrunken as well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from uap_core.ui.selection import Selection
from uap_core.ui.state import Studio
from uap_core.ui.tabs import epsilon
from uap_core.ui.tabs.apply import around
from uap_core.ui.tabs.apply.under import seen_under
from uap_core.ui.tabs.why import feels

NETWORK, PATTERN = "resnet64", "resnet64-linf10.safetensors"


@pytest.mark.parametrize(("photo", "strength"), [("sample:espresso", 16), ("sample:running", 4), ("sample:lion", 10)])
def test_every_tab_names_what_apply_names(photo: str, strength: int) -> None:
    """The first two get another label by the sum of 64 pixels than by the picture that is shown and saved."""
    studio = Studio()
    chosen = Selection(photo, NETWORK, PATTERN, {}, strength)
    apply = seen_under(studio.classifier(NETWORK), photo, chosen.unscaled(studio), strength)
    (before, _), (after, sure) = apply.before[0], apply.after[0]
    figures = re.findall(r"<figcaption><b>([^<]+)</b> <small>([0-9]+)%", around.Views(studio).around(chosen)["sum"])
    assert (figures[0][0], figures[-1]) == (before, (after, f"{100 * sure:.0f}"))
    looks = feels.Views(studio).looks(chosen)["spots"]
    assert after in looks
    rows = epsilon.Views(studio).photo_curve(photo, NETWORK, PATTERN, {})["csv"]["value"]
    lines = [line.split(",") for line in Path(rows).read_text(encoding="utf-8").splitlines()]
    mine = next(line for line in lines[1:] if float(line[0]) == pytest.approx(strength / 255))
    assert mine[lines[0].index("predicted")] == after
