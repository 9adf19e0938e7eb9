"""Pictures and patterns of one's own in a real browser, good and bad."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest
from first_view import (
    CLEAN,
    SHOWN,
    SIZE,
    downloaded_pattern,
    lion,
    photograph,
    sentence,
    set_epsilon,
    shown,
    wait_for,
    wait_for_photograph,
)
from PIL import Image
from quick_page import open_on_the_quick_network
from scipy.io import savemat

from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.images.reading import square


def upload(page, path: Path) -> None:
    page.locator("#strip-row input[type=file], input#your-photo").first.set_input_files(path)


@pytest.mark.goes_on
def test_uploads_good_and_bad(page, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (500, 620, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("not a picture")
    upload(page, tmp_path / "good.png")
    expected = np.asarray(square(Image.fromarray(noise), SHOWN, SHOWN))
    wait_for_photograph(page, expected)
    page.locator("#strip [data-photo=upload][aria-pressed=true]").wait_for()
    assert page.locator("#first-view .was .tag").inner_text() == "Your picture, its middle square"
    upload(page, tmp_path / "bad.png")
    wait_for(page, "#bar-said", "not a picture that can be opened")
    wait_for_photograph(page, expected)  # what was looked at stays
    page.locator("#strip [data-photo='sample:lion']").click()
    wait_for_photograph(page, lion())
    assert page.locator("#first-view .was .tag").inner_text() == "Photograph"
    assert page.locator("#bar-said").inner_text().strip() == ""
    page.locator("#strip [data-photo=upload]").click()
    wait_for_photograph(page, expected)
    page.locator("#strip [data-photo='sample:lion']").click()
    wait_for_photograph(page, lion())


@pytest.mark.goes_on
def test_a_picture_can_be_dropped_anywhere(page) -> None:
    page.evaluate("""async () => {
      const canvas = new OffscreenCanvas(90, 90), context = canvas.getContext("2d");
      context.fillStyle = "#c02040"; context.fillRect(0, 0, 90, 90);
      const bag = new DataTransfer();
      bag.items.add(new File([await canvas.convertToBlob()], "red.png", { type: "image/png" }));
      const dropped = { bubbles: true, cancelable: true, dataTransfer: bag };
      document.querySelector("#details").dispatchEvent(new DragEvent("drop", dropped));
    }""")
    wait_for_photograph(page, np.full((SHOWN, SHOWN, 3), (0xC0, 0x20, 0x40), np.uint8))
    assert not sentence(page).startswith("You see")
    page.locator("#strip [data-photo='sample:lion']").click()
    wait_for_photograph(page, lion())


def open_own_pattern(page) -> None:
    if not page.locator("#own-pattern").is_visible():
        page.locator("[data-bar=more]").click()


@pytest.mark.goes_on
def test_own_pattern_good_and_bad(page, tmp_path: Path) -> None:
    np.save(tmp_path / "good.npy", np.full((3, SIZE, SIZE), 3 / 255, dtype=np.float32))
    np.save(tmp_path / "small.npy", np.zeros((3, 8, 8), dtype=np.float32))
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    open_own_pattern(page)
    expected = {"objects.npy": "pickled objects", "small.npy": "made for 8 x 8", "good.npy": "Opened good"}
    for name, told in expected.items():
        page.locator("#pattern-file input[type=file]").set_input_files(tmp_path / name)
        wait_for(page, "#bar-said", told)
        page.locator(
            "#pattern-file button[aria-label=Clear], #pattern-file button[aria-label='Remove this file']"
        ).first.click()
    wait_for(page, "#numbers", "3/255")


@pytest.mark.goes_on
def test_a_foreign_pattern_is_read_and_can_be_read_otherwise(page, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    theirs = random.choice([-6, 6], (SIZE, SIZE, 3)).astype(np.float64)
    savemat(tmp_path / "theirs.mat", {"r": theirs})
    open_own_pattern(page)
    page.locator("#pattern-file input[type=file]").set_input_files(tmp_path / "theirs.mat")
    wait_for(page, "#pattern-note", "Opened theirs: l_inf 6/255")
    page.locator("#reading").wait_for()
    assert page.locator("#reading input:checked").count() == 4
    assert page.get_by_label("for pixels from 0 to 255").is_checked()
    page.get_by_label("blue first").click()
    wait_for(page, "#pattern-note", "rows before columns, blue first")
    page.get_by_label("columns before rows").click()
    wait_for(page, "#pattern-note", "columns before rows, blue first")
    told, since = theirs.transpose(2, 1, 0)[::-1], time.monotonic()
    while not np.allclose(255 * downloaded_pattern(page), told, rtol=1e-5):
        assert time.monotonic() - since < 30, "the download is still the pattern as it was read before"
    open_own_pattern(page)
    page.get_by_label("for pixels from 0 to 1", exact=True).click()
    wait_for(page, "#bar-said", "go up to 6: they cannot be meant for pixels from 0 to 1")


@pytest.mark.goes_on
def test_which_array_of_a_file_is_the_pattern_is_chosen_from_a_menu(page, tmp_path: Path) -> None:
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (3, SIZE, SIZE))
    np.savez(tmp_path / "several.npz", first=signs * 6 / 255, second=signs * 4 / 255, third=signs * 5 / 255)
    open_own_pattern(page)
    page.locator("#pattern-file button[aria-label=Clear], #pattern-file button[aria-label='Remove this file']").first.click()
    page.locator("#pattern-file input[type=file]").set_input_files(tmp_path / "several.npz")
    wait_for(page, "#bar-said", "This file holds 3 arrays that may be the pattern.")
    page.locator("#which-array input").click()
    assert page.get_by_role("option").all_inner_texts()[2] == f"third (3, {SIZE}, {SIZE}) float64 -0.01961..0.01961"
    page.get_by_role("option").filter(has_text="second").click()
    wait_for(page, "#pattern-note", "Opened several: l_inf 4/255")


@pytest.mark.goes_on
def test_two_visitors_do_not_see_each_others_choices(page, browser, server: str) -> None:
    page.keyboard.press("Escape")
    page.locator(f"#strip [data-photo='sample:{SAMPLE_PHOTOS[1].key}']").click()
    wait_for_photograph(page, photograph(SAMPLE_PHOTOS[1].key))
    other = browser.new_page(locale="en-US")
    open_on_the_quick_network(other, server)
    assert (shown(other, CLEAN) == lion()).all()
    other.close()


@pytest.mark.goes_on
def test_epsilon_out_of_range_is_said_and_nothing_is_lost(page) -> None:
    before = page.locator("#after .bars").inner_text()
    set_epsilon(page, 99)
    assert "between 0 and 32" in wait_for(page, "#epsilon-note", "strength must")
    assert page.locator("#after .bars").inner_text() == before
    # Once another pattern was chosen, Gradio has a slider for this visitor alone: it must not fall back to its own manners.
    page.locator("#pattern input").click()
    page.get_by_role("option", name=re.compile("its own, length 2000")).click()
    wait_for(page, "#epsilon", "l2 of the pattern")
    set_epsilon(page, 9000)
    wait_for(page, "#epsilon-note", "The strength must lie between 0 and 4000")
