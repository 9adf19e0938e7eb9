"""Links, the tour, the presenter's view and the glossary in a real browser."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from quick_page import USUAL
from test_page import after_label, set_epsilon, wait_for

from uap_core.experiments.first_view import load_opening
from uap_core.models.zoo import PAGE_MODEL

LATER_STEPS = ((2, "verdict"), (3, "verdict"), (4, "verdict"), (5, "sweep-chart"), (5, "curve-stored"), (6, "contenders"))


def named(page) -> dict[str, str]:
    """What the address says."""
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def wait_for_address(page, expected: dict[str, str]) -> None:
    for _ in range(100):
        if named(page) == expected:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"{named(page)} instead of {expected}")


def test_the_address_follows_and_what_is_usual_is_left_out(unopened, server: str) -> None:
    page = unopened
    page.goto(server)
    page.locator("#download-png").wait_for()
    assert named(page) == {}
    set_epsilon(page, 4)
    expected = {"photo": "running", "network": PAGE_MODEL, "pattern": f"{PAGE_MODEL}-linf10", "eps": "4"}
    wait_for_address(page, expected)
    page.get_by_role("tab", name="Why", exact=True).click()
    wait_for_address(page, {**expected, "tab": "why"})
    page.get_by_role("tab", name="Apply", exact=True).click()
    set_epsilon(page, 10)
    wait_for_address(page, {})


def test_the_presenters_view_and_back(page) -> None:
    small = page.evaluate("parseFloat(getComputedStyle(document.querySelector('#verdict .verdict')).fontSize)")
    assert page.locator(".explain").first.count() == 1
    page.locator("#present").click()
    large = page.evaluate("parseFloat(getComputedStyle(document.querySelector('#verdict .verdict')).fontSize)")
    assert large > 1.15 * small
    assert page.locator("#map").is_hidden()
    wait_for_address(page, {**USUAL, "present": "1"})
    assert page.locator("#present").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    wait_for_address(page, USUAL)
    assert page.locator("#map").is_visible()


@pytest.mark.goes_on
def test_the_glossary_opens_by_keyboard(page) -> None:
    page.locator("#glossary button").first.focus()
    page.keyboard.press("Enter")
    page.get_by_text("share of pictures whose answer changes").wait_for()


@pytest.mark.goes_on
def test_the_link_is_copied(page) -> None:
    set_epsilon(page, 4)
    page.wait_for_function("location.search.includes('eps=4')")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#copy-link").click()
    wait_for(page, "#link-said", "Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


@pytest.mark.goes_on
def test_the_tour_by_keyboard_alone_says_what_the_page_shows(page) -> None:
    page.locator("#tour-start").focus()
    page.keyboard.press("Enter")
    wait_for(page, "#tour-says", "Step 1 of 6")
    wait_for(page, "#verdict", "No change yet")
    for step, place in LATER_STEPS:
        page.wait_for_function("document.activeElement?.id === 'tour-next'")
        before = page.locator("#tour-says").inner_text()
        page.keyboard.press("Enter")
        page.wait_for_function("before => document.querySelector('#tour-says').innerText !== before", arg=before)
        said = wait_for(page, "#tour-says", f"Step {step} of 6")
        page.locator(f"#{place}").wait_for()
        if place == "verdict":  # the sentence and the page tell of the same label
            label = page.locator("#tour-says b").last.inner_text()
            wait_for(page, "#verdict", re.escape(label))
        else:
            assert re.search(r"\d+\.\d%|/255", said), said
    wait_for(page, "#contenders", "FGSM")
    wait_for(page, "#tour-next", "Done")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement?.id === 'tour-start'")
    assert page.locator("#tour-says").inner_text().strip() == ""
    page.get_by_role("tab", name="Compare", exact=True, selected=True).wait_for()


def test_a_link_brings_the_view_back(unopened, server: str) -> None:
    page = unopened
    query = {"photo": "espresso", "network": "vgg64", "pattern": "vgg64-linf10", "eps": "6", "tab": "transfer"}
    page.goto(f"{server}/?{urlencode(query)}")
    page.get_by_role("tab", name="Transfer", exact=True, selected=True).wait_for()
    wait_for(page, "#transfer-matrix", "Precomputed")
    assert page.locator("#epsilon input[type=number]").input_value() == "6"
    assert "VGG-64" in page.locator("#network input").input_value()
    page.get_by_role("tab", name="Apply", exact=True).click()
    wait_for(page, "#before", "espresso")
    wait_for_address(page, {name: value for name, value in query.items() if name != "tab"})


def test_what_a_link_gets_wrong_is_said_and_nothing_breaks(unopened, server: str) -> None:
    page = unopened
    page.goto(f"{server}/?photo=../../x&network=<b>none</b>&eps=1e9&tab=nowhere")
    page.locator("#download-png").wait_for()
    said = wait_for(page, "#link-note", "could not be followed here")
    assert re.search("photograph, network, epsilon and tab", said)
    shown = load_opening()
    assert shown is not None
    assert after_label(page) == shown.view.after[0][0]
