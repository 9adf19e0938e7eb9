"""The tab Library in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_page import SIZE, wait_for

from uap_core.library import library


def test_library_tab_shows_every_pattern_and_applies_one(page) -> None:
    page.get_by_role("tab", name="Library").click()
    page.locator("#library-gallery .thumbnail-item").nth(len(library()) - 1).wait_for()
    assert page.locator("#library-gallery .thumbnail-item").count() == len(library())
    place = next(i for i, entry in enumerate(library()) if entry.side == SIZE and entry.ball.p == "l2")
    page.locator("#library-gallery .thumbnail-item").nth(place).click()
    details = wait_for(page, "#library-details", "seed")
    assert library()[place].verdict in details
    assert "trained from scratch by this project" in details
    with page.expect_download() as download:
        page.locator("#library-file").click()
    assert Path(download.value.path()).read_bytes() == library()[place].path.read_bytes()
    page.locator("#library-use").click()
    page.locator("#apply").wait_for()
    wait_for(page, "#pattern-note", re.escape(library()[place].verdict[1:]))
    assert page.locator("#pattern input").input_value() == library()[place].name


@pytest.mark.goes_on
def test_a_library_pattern_of_another_size_says_what_it_needs(page) -> None:
    page.get_by_role("tab", name="Library").click()
    place = next(i for i, entry in enumerate(library()) if entry.side == 224)
    page.locator("#library-gallery .thumbnail-item").nth(place).click()
    wait_for(page, "#library-details", re.escape(library()[place].verdict))
    page.locator("#library-use").click()
    assert "224 x 224" in wait_for(page, "#library-said", "takes 64 x 64")


@pytest.mark.goes_on
def test_library_tab_tells_how_fast_methods_are_and_what_parts_are_worth(page) -> None:
    page.get_by_role("tab", name="Library").click()
    assert "whole pictures" in wait_for(page, "#library-ablations", "Each line is ours with one part changed, the last")
    page.locator("#library-convergence img").wait_for()
    page.locator("#library-samples img").wait_for()


@pytest.mark.goes_on
def test_the_catalogue_says_when_there_is_no_connection(page) -> None:
    page.get_by_role("tab", name="Library").click()
    wait_for(page, "#catalogue-note", "kenny-co/sgd-uap-torch, MIT")
    page.locator("#catalogue-fetch").click()
    wait_for(page, "#catalogue-note", r"There is no connection to raw\.githubusercontent\.com")
    page.locator("#catalogue-fetch").wait_for()
