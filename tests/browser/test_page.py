"""The page in a real browser, as a visitor uses it."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quick_page import open_on_the_quick_network
from scipy.io import savemat

from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.images.reading import from_array, square
from uap_core.perturbations.library import library
from uap_core.perturbations.perturbation import load_perturbation

SIZE = 64


def set_epsilon(page, level: float) -> None:
    page.locator("#epsilon input[type=number]").fill(f"{level:g}")
    page.keyboard.press("Enter")


def verdict(page) -> str:
    return page.locator("#verdict").inner_text()


def downloaded_pattern(page) -> np.ndarray:
    """What the button offers now."""
    with page.expect_download() as download:
        page.locator("#download-npy").click()
    return np.load(download.value.path())


def run_anew(page, word: str) -> None:
    """Press the button of a view until its run begins: right after a stop the page may pass a click by."""
    since = time.monotonic()
    while True:
        page.locator(f"#{word}-run").click()
        page.wait_for_timeout(1500)
        if "Stopped" not in page.locator(f"#{word}-status").inner_text():
            return
        assert time.monotonic() - since < 30, "the run does not begin"


def wait_for(page, selector: str, pattern: str, timeout: int = 60_000) -> str:
    """Wait until the text of ``selector`` matches; return it."""
    page.wait_for_function(
        "([selector, pattern]) => new RegExp(pattern).test(document.querySelector(selector)?.innerText || '')",
        arg=[selector, pattern],
        timeout=timeout,
        polling=100,  # at each frame it would keep a processor busy with layout, which the app needs
    )
    return page.locator(selector).inner_text()


def after_label(page) -> str:
    return page.locator("#after .name").first.inner_text()


FETCH = "async source => Array.from(new Uint8Array(await (await fetch(source)).arrayBuffer()))"


def slider_pictures(page) -> list[np.ndarray]:
    """The two pictures of the before/after slider, as the browser received them."""
    pictures = []
    for image in page.locator("#before-after img").all():
        body = page.evaluate(FETCH, image.get_attribute("src"))
        pictures.append(np.asarray(Image.open(io.BytesIO(bytes(body))).convert("RGB")))
    return pictures


def wait_for_photograph(page, expected: np.ndarray) -> None:
    """Until the slider shows ``expected`` (S,S,3) as the picture before."""
    for _ in range(60):
        shown = slider_pictures(page)[0]
        times = shown.shape[0] // SIZE
        if (shown[::times, ::times] == expected).all():
            return
        page.wait_for_timeout(500)
    raise AssertionError("another picture is shown")


def photograph(key: str) -> np.ndarray:
    chosen = next(photo for photo in SAMPLE_PHOTOS if photo.key == key)
    return np.asarray(square(chosen.open(), SIZE, SIZE))


def lion() -> np.ndarray:
    return photograph("lion")


def test_the_first_view_is_filled_and_the_browser_receives_the_array(page) -> None:
    assert re.search("Fooled|Not fooled", verdict(page))
    assert page.locator("#before .row").count() == 5
    assert page.locator("#after .row").count() == 5
    assert "10/255" in page.locator("#numbers").inner_text()
    values = load_perturbation(library()[0].path).pattern.permute(1, 2, 0).numpy()
    expected = np.rint(lion() + 255 * values).clip(0, 255).astype(np.uint8)
    clean, perturbed = slider_pictures(page)
    times = clean.shape[0] // SIZE
    assert (clean[::times, ::times] == lion()).all()
    assert (perturbed[::times, ::times] == expected).all()


@pytest.mark.goes_on
def test_epsilon_zero_changes_nothing(page) -> None:
    set_epsilon(page, 0)
    wait_for(page, "#verdict", "No change")
    clean, perturbed = slider_pictures(page)
    assert (clean == perturbed).all()


@pytest.mark.goes_on
def test_the_downloaded_picture_has_the_claimed_label(page, classifier) -> None:
    set_epsilon(page, 16)
    wait_for(page, "#numbers", "16/255")
    with page.expect_download() as download:
        page.locator("#download-png").click()
    pixels = np.asarray(Image.open(download.value.path()))
    assert pixels.shape == (SIZE, SIZE, 3)
    assert classifier.labels[int(classifier(from_array(pixels)).argmax())] == after_label(page)
    assert np.abs(pixels.astype(int) - lion()).max() <= 16


@pytest.mark.goes_on
def test_the_downloaded_pattern_is_the_applied_one(page) -> None:
    set_epsilon(page, 5)
    wait_for(page, "#numbers", "5/255")
    values = downloaded_pattern(page)
    assert values.shape == (3, SIZE, SIZE)
    assert np.abs(values).max() == pytest.approx(5 / 255, abs=1e-6)


@pytest.mark.goes_on
def test_another_photograph_by_click(page) -> None:
    page.locator("#gallery .thumbnail-item").nth([photo.key for photo in SAMPLE_PHOTOS].index("espresso")).click()
    wait_for(page, "#photo-note", "Rachel Michetti")
    wait_for_photograph(page, photograph("espresso"))


def upload(page, path: Path) -> None:
    if not page.locator("#upload input[type=file]").count():
        page.locator("#own-photo button").first.click()
    page.locator("#upload input[type=file]").set_input_files(path)


@pytest.mark.goes_on
def test_uploads_good_and_bad(page, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("not a picture")
    upload(page, tmp_path / "good.png")
    wait_for(page, "#photo-note", "Your picture")
    expected = np.asarray(square(Image.fromarray(noise), SIZE, SIZE))
    wait_for_photograph(page, expected)

    assert page.locator("#gallery .thumbnail-item.selected").count() == 0

    page.locator("#upload button[aria-label='Remove Image']").click()
    wait_for_photograph(page, lion())
    assert page.locator("#gallery .thumbnail-item.selected").count() == 1
    upload(page, tmp_path / "bad.png")
    wait_for(page, "#photo-note", "not a picture that can be opened")
    wait_for_photograph(page, lion())  # what was looked at stays


def open_own_pattern(page) -> None:
    if not page.locator("#pattern-file").is_visible():
        page.locator("#own-pattern button").first.click()


@pytest.mark.goes_on
def test_own_pattern_good_and_bad(page, tmp_path: Path) -> None:
    np.save(tmp_path / "good.npy", np.full((3, SIZE, SIZE), 3 / 255, dtype=np.float32))
    np.save(tmp_path / "small.npy", np.zeros((3, 8, 8), dtype=np.float32))
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    open_own_pattern(page)
    expected = {"objects.npy": "pickled objects", "small.npy": "made for 8 x 8", "good.npy": "Opened good"}
    for name, sentence in expected.items():
        page.locator("#pattern-file input[type=file]").set_input_files(tmp_path / name)
        wait_for(page, "#pattern-note", sentence)
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
    page.get_by_label("for pixels from 0 to 1", exact=True).click()
    wait_for(page, "#pattern-note", "go up to 6: they cannot be meant for pixels from 0 to 1")


@pytest.mark.goes_on
def test_two_visitors_do_not_see_each_others_choices(page, browser, server: str) -> None:
    page.locator("#gallery .thumbnail-item").nth(1).click()
    wait_for_photograph(page, photograph(SAMPLE_PHOTOS[1].key))
    other = browser.new_page(locale="en-US")
    open_on_the_quick_network(other, server)
    shown = slider_pictures(other)[0]
    times = shown.shape[0] // SIZE
    assert (shown[::times, ::times] == lion()).all()
    other.close()


@pytest.mark.goes_on
def test_epsilon_out_of_range_is_said_at_the_slider_and_nothing_is_lost(page) -> None:
    before = page.locator("#after .bars").inner_text()
    set_epsilon(page, 99)
    assert "between 0 and 32" in wait_for(page, "#epsilon-note", "Epsilon must")
    assert page.locator("#after .bars").inner_text() == before
    # Once another pattern was chosen, Gradio has a slider for this visitor alone: it must not fall back to its own manners.
    page.locator("#pattern input").click()
    page.get_by_role("option", name=re.compile("l2 2000")).click()
    wait_for(page, "#epsilon", "length of the pattern")
    set_epsilon(page, 9000)
    wait_for(page, "#epsilon-note", "Epsilon must lie between 0 and 4000")


def test_the_map_leads_to_tabs_that_are_filled_once_they_are_opened(page) -> None:
    def go(place: str) -> None:
        page.get_by_text("The attacks on one map").click()
        page.locator("#map").get_by_role("button", name=place, exact=True).first.click()
        page.get_by_role("tab", name=place, exact=True, selected=True).wait_for()

    go("Transfer")
    page.locator("#transfer-matrix .rate").first.wait_for()
    page.locator("#transfer-networks input:checked").nth(1).wait_for()
    assert "A': 16-32-64" in page.locator("#halves-stored").inner_text()
    go("Why")
    wait_for(page, "#labels-status", r"Precomputed.* labels become another one")
    for shown in ("#normals-chart figure", "#directions-chart figure", "#labels-chart figure"):
        page.locator(shown).wait_for()
    go("Defences")
    page.locator("#defences-table tr").nth(6).wait_for()
    head, *rows = [row.split("\t") for row in page.locator("#defences-table tr").all_inner_texts()]
    assert head[2:4] == ["Fooled by the fixed pattern", "… by one crafted anew"]
    assert all("%" in row[2] and "%" in row[3] for row in rows)
    page.locator("#detector-chart figure").wait_for()
    assert "Fooled by a new pattern" in wait_for(page, "#training-status", "Precomputed on 2500 images")
    page.locator("#rounds-chart figure").wait_for()
    page.locator("#twins button").first.click()
    page.locator("#twins-chart figure").wait_for()
    assert page.locator(".problem:visible").count() == 0
