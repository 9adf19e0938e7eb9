"""Links and the ways from tab to tab in a real browser."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from first_view import after_label, set_epsilon, wait_for
from quick_page import USUAL

from uap_core.experiments.first_view import load_opening
from uap_core.models.zoo import PAGE_MODEL


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


def test_the_presenters_view_is_in_the_link_and_escape_leaves_it(page) -> None:
    page.locator("#present").click()
    wait_for_address(page, {**USUAL, "present": "1"})
    assert page.locator("#header").is_hidden()
    assert "Esc leave this view" in page.locator("#presenter-hint.on").inner_text()
    page.keyboard.press("Escape")
    page.locator("#presenter-hint").wait_for(state="hidden")
    wait_for_address(page, USUAL)
    assert page.locator("#present").get_attribute("aria-pressed") == "false"


@pytest.mark.goes_on
def test_the_link_is_copied(page) -> None:
    set_epsilon(page, 4)
    page.wait_for_function("location.search.includes('eps=4')")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#copy-link").click()
    wait_for(page, "#link-said", "Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.evaluate("document.querySelector('#link-note').innerHTML = '<span data-private hidden>Yours stays.</span>'")
    page.locator("#copy-link").click()
    wait_for(page, "#link-said", "Link copied. Yours stays.")


@pytest.mark.goes_on
def test_the_last_line_of_each_tab_leads_on_to_the_lab(page) -> None:
    for tab in ("epsilon", "samples", "compare", "craft", "transfer", "why", "defences", "library"):
        page.locator(f"[data-go={tab}]:visible").last.click()
        page.wait_for_function("tab => document.body.dataset.tab === tab", arg=tab)
        assert page.evaluate("window.scrollY") == 0
    page.get_by_role("tab", name="Library", exact=True, selected=True).wait_for()


def test_embedded_in_a_slide_the_page_is_its_tab_alone(unopened, server: str) -> None:
    page = unopened
    page.goto(f"{server}/?embed=apply")
    page.locator("#first-view .word", has_text="cheetah").wait_for()
    for place in ("#header", "#tabs > .tab-wrapper", "footer"):
        assert page.locator(place).is_hidden(), place
    assert page.locator("#epsilon").is_visible()


def test_a_link_brings_the_view_back(unopened, server: str) -> None:
    page = unopened
    query = {"photo": "espresso", "network": "vgg64", "pattern": "vgg64-linf10", "eps": "6", "tab": "transfer"}
    page.goto(f"{server}/?{urlencode(query)}")
    page.get_by_role("tab", name="Transfer", exact=True, selected=True).wait_for()
    wait_for(page, "#transfer-matrix", "Precomputed")
    assert page.locator("#epsilon input[type=number]").input_value() == "6"
    assert "VGG-64" in page.locator("#network input").input_value()
    page.get_by_role("tab", name="Apply", exact=True).click()
    wait_for(page, "#first-view .sentence", "espresso")
    wait_for_address(page, {name: value for name, value in query.items() if name != "tab"})


def test_what_a_link_gets_wrong_is_said_and_nothing_breaks(unopened, server: str) -> None:
    page = unopened
    page.goto(f"{server}/?photo=../../x&network=<b>none</b>&eps=1e9&tab=nowhere")
    page.locator("#download-png").wait_for()
    said = wait_for(page, "#link-note", "could not be followed here")
    assert re.search("photograph, network, strength and tab", said)
    shown = load_opening()
    assert shown is not None
    assert after_label(page) == shown.view.after[0][0]
