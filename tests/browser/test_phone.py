"""On a phone the page scrolls down only, whichever tab is open."""

from __future__ import annotations

import pytest
from quick_page import open_tab

# Each tab, and what stands there once it is filled.
FILLED = {
    "Apply": "#first-view .word",
    "Craft": "#craft-chart figure",
    "Compare": ".bouts",
    "Transfer": "#transfer-matrix .matrix",
    "Why": "#labels-flow svg:visible",
    "Defences": "#defences-bars .help",
    "Library": ".patterns button",
    "Networks": ".listing",
    "Beyond pictures": "#geo-graph-stage canvas",
}


@pytest.mark.parametrize("name", FILLED)
def test_a_phone_scrolls_down_only(phone, name: str) -> None:
    open_tab(phone, name)
    phone.locator(FILLED[name]).first.wait_for()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
