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


def test_the_row_of_tabs_moves_to_the_open_one_and_the_bar_is_slim(phone) -> None:
    open_tab(phone, "Apply")
    phone.locator("#tabs > .tab-wrapper > [data-more=right]").wait_for()
    assert phone.locator("#bar").bounding_box()["height"] < 0.15 * 844
    number, slider = (phone.locator(f"#epsilon input[type={kind}]").bounding_box() for kind in ("number", "range"))
    assert abs(number["y"] + number["height"] / 2 - slider["y"] - slider["height"] / 2) <= 2, "on one line"
    phone.evaluate("document.querySelector('#go-defences').click()")
    phone.locator("#tabs > .tab-wrapper > [data-more=left], #tabs > .tab-wrapper > [data-more=both]").wait_for()
    box = phone.get_by_role("tab", name="Defences", exact=True).bounding_box()
    assert 0 <= box["x"] < box["x"] + box["width"] <= 390
    assert phone.locator("#bar").bounding_box()["height"] < 844 / 8
    for name in ("Strength, of 255", "Network", "Pattern"):
        assert phone.locator("#bar").get_by_text(name, exact=True).is_visible()


def test_a_finger_that_rests_on_the_picture_compares(phone) -> None:
    open_tab(phone, "Apply")
    tag = phone.locator("#first-view .now .tag", has_text="with the pattern")
    tag.wait_for()
    box = phone.locator("#first-view .now canvas[role=img]").bounding_box()
    touch = phone.context.new_cdp_session(phone)
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    phone.locator("#first-view .now .tag", has_text="without the pattern").wait_for()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    tag.wait_for()
