"""The page as a whole in a real browser: every size, every tab, the presenter's view."""

from __future__ import annotations

import re

import numpy as np
import pytest
from first_view import wait_for
from PIL import Image


def test_the_slider_is_in_view_together_with_the_words_at_every_size(page) -> None:
    places = [("1440", 1440, 900), ("1366", 1366, 768), ("1280", 1280, 720), ("1024", 1024, 768), ("phone", 390, 844)]
    for name, width, height in places:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(150)
        bottom = page.locator("#bar").bounding_box()["y"]
        for place in (".sentence", ".was .frame", ".now .frame", ".was .word", ".now .word", ".now .track"):
            box = page.locator(f"#first-view {place}").first.bounding_box()
            assert box["y"] >= 0, (name, place)
            assert box["y"] + box["height"] <= bottom + 1, (name, place, box, bottom)
        for place in ("#epsilon input[type=range]", "#strip", "#modes", "#network"):
            box = page.locator(place).first.bounding_box()
            assert box["y"] >= 0, (name, place)
            assert box["y"] + box["height"] <= height, (name, place)
    page.set_viewport_size({"width": 1400, "height": 1000})


@pytest.mark.goes_on
def test_the_view_is_saved_as_one_picture_for_a_slide(page) -> None:
    with page.expect_download() as download:
        page.locator("[data-bar=slide]").click()
    picture = Image.open(download.value.path())
    assert picture.size == (1600, 900)
    assert np.asarray(picture.convert("L").crop((820, 170, 1380, 730))).std() > 10, "the picture with the pattern is there"


@pytest.mark.goes_on
def test_tabs_are_filled_once_they_are_opened(page) -> None:
    def go(place: str) -> None:
        page.get_by_role("tab", name=place, exact=True).click()
        page.get_by_role("tab", name=place, exact=True, selected=True).wait_for()

    go("Transfer")
    page.locator("#transfer-matrix .rate").first.wait_for()
    page.locator("#transfer-cards figure").nth(4).wait_for()
    page.locator("#transfer-more > button").click()
    page.locator("#transfer-networks input:checked").nth(1).wait_for()
    assert "A': 16-32-64" in page.locator("#halves-stored").inner_text()
    go("Why")
    go("Transfer")
    page.wait_for_timeout(1500)  # as long as an answer takes that would empty it
    assert page.locator("#transfer-cards figure").count() >= 5, "the row stays when one comes back"
    go("Why")
    wait_for(page, "#labels-status", "ResNet-64 says under the pattern ResNet-64, strength 10 of 255; precomputed")
    page.locator("#labels-flow svg.wide-star").wait_for()
    page.locator("#why-more > button").click()
    for shown in ("#normals-chart figure", "#directions-chart figure", "#lipschitz-layers-chart figure"):
        page.locator(shown).wait_for()
    go("Defences")
    bar = page.locator("[data-defence=jpeg-50]")
    assert re.search(r"51%$", bar.inner_text())
    page.get_by_role("switch", name="The attacker adapts").check()
    assert re.search(r"74%$", bar.inner_text())
    page.wait_for_function(
        "() => { const of = (part) => document.querySelector(`[data-defence=jpeg-50] ${part}`).getBoundingClientRect().width;"
        " return Math.abs(of('.bar') / of('.track') - .74) < .01 }"
    )
    page.locator("#defences-more > button").click()
    page.locator("#defences-table tr").nth(6).wait_for()
    head, *rows = [row.split("\t") for row in page.locator("#defences-table tr").all_inner_texts()]
    assert head[2:4] == ["Fooled by the fixed pattern", "… by one crafted anew"]
    assert all("%" in row[2] and "%" in row[3] for row in rows)
    page.locator("#detector-chart figure").wait_for()
    assert "Fooled by a new pattern" in wait_for(page, "#training-status", "Precomputed on 2500 photographs")
    page.locator("#rounds-chart figure").wait_for()
    page.locator("#twins button").first.click()
    page.locator("#twins-chart figure").wait_for()
    assert page.locator(".problem:visible").count() == 0


@pytest.mark.goes_on
def test_the_presenters_view_has_two_pictures_and_two_large_words(page) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.get_by_role("tab", name="Apply", exact=True).click()
    page.locator("#present").click()
    size = "parseFloat(getComputedStyle(document.querySelector('.now .word')).fontSize)"
    page.wait_for_function(f"{size} >= 64")
    page.wait_for_function("""() => {
      const of = (place) => document.querySelector(place).getBoundingClientRect(), { top } = of("#bar");
      const parts = [".was .frame", ".now .frame", ".now .word"].map((part) => of(`#first-view ${part}`));
      return parts.every(({ bottom }) => bottom <= top + 1) && parts[1].width > 600;
    }""")
    page.locator("#first-view .sentence").click()
    page.keyboard.press("ArrowRight")  # the next photograph
    wait_for(page, "#first-view .sentence", "You see a cat")
    page.keyboard.press(" ")
    wait_for(page, "#first-view .now .tag", "without")
    page.keyboard.press(" ")
    page.keyboard.press("-")
    page.wait_for_function("document.querySelector('.first').dataset.strength === '9'")
    page.keyboard.press("Escape")
    page.locator("#header").wait_for()
    page.set_viewport_size({"width": 1400, "height": 1000})
