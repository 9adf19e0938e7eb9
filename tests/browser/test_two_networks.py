"""The room of two networks in a real browser: steps are drawn at once, hills are moved, a bad game is said."""

from __future__ import annotations

import re
from statistics import median

import pytest
from quick_page import open_tab

STEP = """() => { const begun = performance.now(); document.querySelector('[data-duel="one-d"]').click();
  return new Promise((done) => requestAnimationFrame(() => done(performance.now() - begun))); }"""
NUMBERS = ("topNumber", "js", "klP", "klQ", "scoreReal", "scoreMade", "value")
COUNTED = """() => { const asked = window.requestAnimationFrame.bind(window); window.counted = 0;
  window.requestAnimationFrame = (then) => { window.counted++; return asked(then); }; }"""
ASKED = """async () => { const before = window.counted;
  for (let i = 0; i < 10; i++) await new Promise((done) => requestAnimationFrame(done));
  return window.counted - before; }"""  # calls in ten frames, ten of which are these
PATHS = "() => [...document.querySelectorAll('.duel path[data-duel]')].map((path) => path.getAttribute('d')).join(' ')"


def test_steps_are_drawn_at_once_and_the_game_is_played(page) -> None:
    open_tab(page, "Two networks")
    page.locator('.duel [data-duel="said"]').wait_for()
    before = page.evaluate(PATHS)
    assert median(page.evaluate(STEP) for _ in range(5)) < 150
    assert page.evaluate(PATHS) != before
    assert page.locator(".duel").get_attribute("data-moved") == "d"
    assert "5 steps of D, 0 of G" in page.locator('[data-duel="steps"]').inner_text()
    page.locator('[data-duel="play"]').click()
    page.wait_for_function("Number(document.querySelector('[data-duel=steps]').textContent.match(/, (\\d+)/)[1]) > 20")
    page.locator('[data-duel="play"]').click()
    values = [float(page.locator(f'[data-duel="{name}"]').inner_text()) for name in NUMBERS]
    assert values[0] == pytest.approx(2 * values[1] - 1.386, abs=0.003)
    assert values[2] + values[3] == pytest.approx(2 * values[1], abs=0.003)
    assert values[4] + values[5] == pytest.approx(values[6], abs=0.003)


@pytest.mark.goes_on
def test_a_hill_is_moved_by_the_keyboard_and_rates_too_high_are_said(page) -> None:
    open_tab(page, "Two networks")
    hill = page.locator('[data-duel="hill"]').first
    hill.focus()
    hill.press("ArrowLeft")
    assert hill.get_attribute("aria-valuenow") == "-2.1"
    for name in ("rateD", "rateG"):
        page.locator(f'input[data-duel="{name}"]').fill("1")
    page.locator('[data-duel="play"]').click()
    page.locator('.duel[data-state="diverged"]').wait_for()
    assert "rates are too high" in page.locator('[data-duel="said"]').inner_text()
    assert not re.search("NaN|Infinity", page.locator(".duel").inner_html())
    page.evaluate(COUNTED)
    for preset in ("equal", "fair", "collapse", "fair", "collapse", "equal"):
        page.locator(f'[data-preset="{preset}"]').click()
    assert page.evaluate(ASKED) < 50, "one loop draws, however often the game was changed"
    page.wait_for_function("document.querySelector('.duel [data-duel=js]').textContent === '0.000'")
    page.locator('[data-duel="alone"]').click()


@pytest.mark.goes_on
def test_hills_and_the_picked_x_are_where_they_are_pressed(page) -> None:
    """Where the window is wider than high, the drawing stands in the middle of its box."""
    open_tab(page, "Two networks")
    page.set_viewport_size({"width": 1366, "height": 768})
    hill = page.locator('[data-duel="hill"]').first
    hill.scroll_into_view_if_needed()
    before, box = hill.get_attribute("aria-valuenow"), hill.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.up()
    assert hill.get_attribute("aria-valuenow") == before
    picked = page.get_by_role("slider", name="The picked x")
    place = float(picked.get_attribute("aria-valuenow"))
    picked.press("ArrowRight")
    assert float(picked.get_attribute("aria-valuenow")) == pytest.approx(place + 0.1)


@pytest.mark.goes_on
def test_a_hill_is_made_wider_and_stays_on_the_axis(page) -> None:
    open_tab(page, "Two networks")
    second = page.get_by_role("slider", name="Second hill of the data")
    second.focus()
    for _press in range(30):
        second.press("ArrowRight")
    before, drawn = float(second.get_attribute("aria-valuenow")), page.locator('.duel path[data-duel="p"]')
    narrow = drawn.get_attribute("d")
    assert before == float(second.get_attribute("aria-valuemax")) > 4
    page.get_by_role("slider", name="Width of the second hill").fill("1.2")
    assert drawn.get_attribute("d") != narrow
    assert page.locator('.duel [data-duel="width-now"]').all_inner_texts() == ["0.5", "1.2"]
    assert float(second.get_attribute("aria-valuenow")) == float(second.get_attribute("aria-valuemax")) < before


@pytest.mark.goes_on
def test_one_part_of_a_room_is_shown(page) -> None:
    """So no room is longer than three windows of 900 pixels."""
    for tab, room, last in (("Two networks", "games", "defence"), ("Small networks", "small", "help")):
        open_tab(page, tab)
        inputs = page.locator(f"#{room}-which input")
        inputs.first.wait_for()
        for value in inputs.evaluate_all("all => all.map((one) => one.value)"):
            page.locator(f'#{room}-which input[value="{value}"]').click()
            page.locator(f"#{room}-part-{value}").wait_for()
            assert page.locator(f"[id^={room}-part-]:visible").count() == (2 if value in ("networks", "sets") else 1)
            page.wait_for_function("document.documentElement.scrollHeight < 2700")
        assert value == last
