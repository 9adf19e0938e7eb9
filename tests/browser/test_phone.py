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


def test_on_other_tabs_the_bar_is_slim_and_all_tabs_are_back_on_a_wider_window(phone) -> None:
    open_tab(phone, "Epsilon")
    phone.locator("body[data-tab=epsilon]").wait_for()
    assert phone.locator("#bar").bounding_box()["height"] < 844 / 8
    try:
        phone.set_viewport_size({"width": 1440, "height": 900})
        phone.locator("#tabs > .tab-wrapper").get_by_role("tab", name="Lab", exact=True).wait_for()
    finally:
        phone.set_viewport_size({"width": 390, "height": 844})
        open_tab(phone, "Apply")
