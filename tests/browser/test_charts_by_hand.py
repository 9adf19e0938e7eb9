"""Charts in a real browser: values by pointer and by key, the slider's epsilon, dark, a phone, pictures and values to keep."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from first_view import set_epsilon, wait_for
from PIL import Image

CHART = "#sweep-chart"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1400, "height": 1000}
PLACE = """chart => {
  const svg = [...document.querySelectorAll(`${chart} svg`)].find(one => getComputedStyle(one).display !== 'none');
  const mark = JSON.parse(svg.dataset.marks).find(([series, x]) => series === 'universal' && x === '6');
  const box = svg.getBoundingClientRect();
  return [box.left + mark[5] * box.width, box.top + mark[6] * box.height];
}"""


def open_epsilon(page) -> None:
    page.set_viewport_size(DESK)
    page.get_by_role("tab", name="Epsilon", exact=True).click()
    page.locator(f"{CHART} figure").wait_for()


def colour_of(page, selector: str, name: str) -> list[int]:
    """Red, green and blue as the page paints them, whichever way the colour is written."""
    return page.locator(selector).first.evaluate(
        """(element, name) => {
          const canvas = document.createElement('canvas').getContext('2d');
          canvas.fillStyle = getComputedStyle(element)[name];
          canvas.fillRect(0, 0, 1, 1);
          return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }""",
        name,
    )


def test_the_pointer_finds_values(page) -> None:
    open_epsilon(page)
    page.locator(CHART).scroll_into_view_if_needed()
    page.mouse.move(*page.evaluate(PLACE, CHART))
    tip = page.locator(f"{CHART} .tip")
    assert tip.is_visible()
    assert re.fullmatch(r"universal\s*6: 55\.4 % \(53\.4 % – 57\.3 %\)", tip.inner_text())
    page.mouse.move(2, 2)
    assert not tip.is_visible()


@pytest.mark.goes_on
def test_the_arrow_keys_go_from_value_to_value(page) -> None:
    open_epsilon(page)
    plot, tip = page.locator(f"{CHART} .plot"), page.locator(f"{CHART} .tip")
    plot.focus()
    for keys, text in (
        (("ArrowRight", "Home"), "universal\\s*0: 0.0 %"),
        (("ArrowRight", "ArrowRight"), "universal\\s*2: 8.6 %"),
        (("ArrowDown",), "random noise\\s*2: "),
        (("End",), "random noise\\s*20: "),
        (("ArrowRight",), "random noise\\s*20: "),
        (("ArrowUp",), "universal\\s*20: "),
        (("Home",), "universal\\s*0: "),
    ):
        for key in keys:
            page.keyboard.press(key)
        assert re.match(text, tip.inner_text()), (keys, tip.inner_text())
    page.keyboard.press("Escape")
    assert not tip.is_visible()


@pytest.mark.goes_on
def test_the_sliders_epsilon_is_marked_and_follows_it(page) -> None:
    open_epsilon(page)
    now = page.locator(f"{CHART} svg.wide .now")
    now.wait_for()
    assert now.text_content() == "strength 10"
    before = float(now.locator("line").get_attribute("x1"))
    set_epsilon(page, 20)
    page.wait_for_function("document.querySelector('#sweep-chart svg.wide .now').textContent === 'strength 20'")
    after = float(now.locator("line").get_attribute("x1"))
    ticks = page.evaluate(
        """() => [...document.querySelectorAll('#sweep-chart svg.wide text')]
          .filter(text => ['10', '20'].includes(text.textContent)).map(text => Number(text.getAttribute('x')))"""
    )
    assert [before, after] == pytest.approx(ticks, abs=0.5)


@pytest.mark.goes_on
def test_letters_are_the_pages_and_dark_is_dark(page) -> None:
    open_epsilon(page)
    fonts = [
        page.locator(selector).first.evaluate("text => getComputedStyle(text).fontFamily")
        for selector in (f"{CHART} svg.wide text", "#sweep-answer h2")
    ]
    assert fonts[0] == fonts[1]
    light = colour_of(page, f"{CHART} svg.wide text", "fill")
    line = colour_of(page, f"{CHART} svg.wide path[style*=ink]", "stroke")
    page.evaluate("document.body.classList.add('dark')")
    page.wait_for_timeout(500)
    dark = colour_of(page, f"{CHART} svg.wide text", "fill")
    assert max(light) < 100 < 200 < min(dark)
    assert sum(colour_of(page, f"{CHART} svg.wide path[style*=ink]", "stroke")) > sum(line)
    page.evaluate("document.body.classList.remove('dark')")


@pytest.mark.goes_on
def test_a_phone_gets_its_own_size(page) -> None:
    open_epsilon(page)
    page.set_viewport_size(PHONE)
    narrow = page.locator(f"{CHART} svg.narrow")
    assert narrow.is_visible()
    assert not page.locator(f"{CHART} svg.wide").is_visible()
    heights = narrow.locator("text").evaluate_all("texts => texts.map(text => text.getBoundingClientRect().height)")
    assert min(heights) > 10
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(CHART).scroll_into_view_if_needed()
    page.mouse.move(*page.evaluate(PLACE, CHART))
    assert "55.4 %" in page.locator(f"{CHART} .tip").inner_text()
    box = page.locator(f"{CHART} .tip").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


@pytest.mark.goes_on
def test_a_chart_can_be_kept_as_a_picture_and_as_values(page) -> None:
    open_epsilon(page)
    with page.expect_download() as download:
        page.locator(f"{CHART} [data-save=png]").click()
    assert download.value.suggested_filename == "resnet-64-2500-photographs-that-no-pattern-was-made-from-pre.png"
    picture = np.asarray(Image.open(download.value.path()).convert("RGB")).astype(int)
    assert picture.shape[1] == 1440
    assert (picture == picture[0, -1]).all(axis=2).mean() > 0.8, "the ground"
    for colour in ((213, 94, 0), (126, 63, 160)):  # of the pattern, of attacks made for one picture
        assert (np.abs(picture - colour).sum(axis=2) < 12).sum() > 500, colour
    with page.expect_download() as download:
        page.locator(f"{CHART} [data-save=csv]").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert len(rows) == 30
    assert {"series": "universal", "x": "6", "y": "0.554", "low": "0.534", "high": "0.573"} in rows


@pytest.mark.goes_on
def test_one_chart_is_in_view_and_the_photograph_has_its_own(page) -> None:
    open_epsilon(page)
    assert not page.locator("#photo-chart figure").is_visible()
    page.get_by_text("the chosen photograph", exact=True).click()
    page.locator("#photo-chart figure").wait_for()
    assert not page.locator("#sweep-chart figure").is_visible()
    assert "strength" in wait_for(page, "#photo-chart-note", "Lion is fooled")
    page.locator("#photo-chart svg.wide .now").wait_for()
