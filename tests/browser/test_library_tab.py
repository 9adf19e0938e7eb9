"""The tab Library in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from first_view import SIZE, wait_for
from quick_page import open_tab

from uap_core.models.zoo import QUICK_MODEL
from uap_core.perturbations.library import library
from uap_core.ui.html.words import listed
from uap_core.ui.state import Studio
from uap_core.ui.tabs.library.gallery import in_order

NETWORK = "EfficientNet-Lite0"


def unfold(page) -> None:
    page.locator(".picks details").evaluate("details => { details.open = true; }")


def test_library_tab_shows_every_pattern_and_applies_one(page) -> None:
    open_tab(page, "Library")
    unfold(page)
    page.locator(".patterns > *").nth(len(library()) - 1).wait_for()
    assert page.locator(".patterns > *").count() == len(library())
    shown = in_order(Studio(), QUICK_MODEL)
    place = next(i for i, entry in enumerate(shown) if entry.side == SIZE and entry.ball.p == "l2")
    page.locator(".patterns button").nth(place).click()
    details = wait_for(page, "#library-details", "seed")
    assert shown[place].verdict.partition(" of ")[0] in details
    assert "photographs that no pattern was made from" in details
    with page.expect_download() as download:
        page.locator("#library-file").click()
    assert Path(download.value.path()).read_bytes() == shown[place].path.read_bytes()
    page.locator("#library-use").click()
    page.locator("#first-view .now .word").wait_for()
    wait_for(page, "#pattern-note", re.escape(shown[place].verdict[1:]))
    assert page.locator("#pattern input").input_value() == listed(shown[place], shown[place].networks[0])


@pytest.mark.goes_on
def test_a_pattern_of_a_network_that_is_not_here_is_applied_to_one_that_is(page) -> None:
    open_tab(page, "Library")
    unfold(page)
    shown = in_order(Studio(), QUICK_MODEL)
    place = len(shown) - 1
    assert "squeezenet1_1_caffe" not in shown[place].networks
    page.locator(".patterns button").nth(place).click()
    wait_for(page, "#library-details", re.escape(shown[place].verdict.partition(" of ")[0]))
    assert page.locator("#library-use").inner_text() == f"Apply it to {NETWORK}"
    page.locator("#library-use").click()
    wait_for(page, "#first-view .foreign", f"Pattern made for .*, tried on {NETWORK}")
    assert page.locator("#network input").input_value() == f"{NETWORK}, 224 px"
    page.wait_for_function("document.querySelector('#first-view .sentence').getBoundingClientRect().top >= 0", timeout=3_000)
    page.get_by_role("button", name=f"Use {NETWORK}’s own").click()
    page.wait_for_function("document.querySelector('#pattern input').value == 'its own, strength 10 of 255'")
    page.wait_for_function("!document.querySelector('#first-view').innerText.includes('made for')")


@pytest.mark.goes_on
def test_library_tab_tells_how_fast_methods_are_and_what_parts_are_worth(page) -> None:
    open_tab(page, "Library")
    page.locator("#library-more > button").click()
    assert "whole pictures" in wait_for(page, "#library-ablations", "with one part changed, the last")
    page.locator("#library-convergence figure").wait_for()
    page.locator("#library-samples figure").wait_for()


@pytest.mark.goes_on
def test_the_catalogue_says_when_there_is_no_connection(page) -> None:
    open_tab(page, "Library")
    page.locator("#library-others > button").click()
    wait_for(page, "#catalogue-note", "kenny-co/sgd-uap-torch, MIT")
    page.locator("#catalogue-fetch").click()
    wait_for(page, "#catalogue-note", r"There is no connection to raw\.githubusercontent\.com")
    page.locator("#catalogue-fetch").wait_for()
