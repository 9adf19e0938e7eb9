"""The page in a real browser, as a visitor uses it."""

from __future__ import annotations

import io
import re
import time
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quick_page import open_on_the_quick_network
from scipy.io import savemat

from uap_core.experiments import outcomes as dots
from uap_core.experiments.strengths import Change, answers, change_of, noise_of, picture_at
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.images.reading import square
from uap_core.io.paths import PERTURBATIONS, RESULTS
from uap_core.io.results import read_table
from uap_core.models.zoo import load_model
from uap_core.perturbations.library import read_levels

SIZE, SHOWN = 64, 448  # what the quick network takes, and what is shown of it


def set_epsilon(page, level: float) -> None:
    page.locator("#epsilon input[type=number]").fill(f"{level:g}")
    page.keyboard.press("Enter")


def sentence(page) -> str:
    return page.locator("#first-view .sentence").inner_text()


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
    return page.locator("#first-view .now .word").inner_text()


PIXELS = """async selector => {
  const place = document.querySelector(selector), side = place.naturalWidth || place.width;
  const canvas = new OffscreenCanvas(side, side);
  canvas.getContext("2d").drawImage(place, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}"""
CLEAN, NOW = "#first-view .was img", "#first-view .now .frame > canvas"


def shown(page, selector: str) -> np.ndarray:
    """A picture of the first view as it stands on the screen, uint8 (S,S,3)."""
    return np.asarray(Image.open(io.BytesIO(b64decode(page.evaluate(PIXELS, selector)))).convert("RGB"))


def wait_for_photograph(page, expected: np.ndarray, place: str = CLEAN) -> None:
    """Until ``expected`` (S,S,3) is the picture that is shown at ``place``."""
    for _ in range(60):
        now = shown(page, place)
        if now.shape == expected.shape and (now == expected).all():
            return
        page.wait_for_timeout(500)
    raise AssertionError("another picture is shown")


def photograph(key: str) -> np.ndarray:
    chosen = next(photo for photo in SAMPLE_PHOTOS if photo.key == key)
    return np.asarray(square(chosen.open(), SHOWN, SHOWN))


def lion() -> np.ndarray:
    return photograph("lion")


def change() -> Change:
    return change_of(read_levels(PERTURBATIONS / "resnet64-linf10.safetensors"), "linf", 10.0)


def test_the_first_view_is_filled_and_shows_the_pictures_that_were_judged(page) -> None:
    """The script's arithmetic is the server's, to the last level."""
    assert re.search("You see a lion. The network sees (?!lion)", sentence(page))
    assert page.locator("#before .row").count() == 5
    assert page.locator("#after .row").count() == 5
    assert "10/255" in page.locator("#numbers").inner_text()
    assert (shown(page, CLEAN) == lion()).all()
    assert (shown(page, NOW) == picture_at(lion(), change(), 10.0)).all()
    assert page.locator("#first-view .inset").is_visible(), "what the small network gets"


@pytest.mark.goes_on
def test_a_dot_a_photograph_changes_as_the_slider_moves(page) -> None:
    """What is filled is what was computed, without a question to the server."""
    rows = read_table(RESULTS / "resnet64-linf10-outcomes.json", dots.OutcomeRow).rows
    right = dots.bits_of(next(row for row in rows if row.attack == dots.CLEAN), 300)
    slider = page.locator("#epsilon input[type=range]")
    for level in (10, 3):
        slider.focus()
        for _ in range(7 if level == 3 else 0):
            page.keyboard.press("ArrowLeft")
        for field, attack in (("pattern", dots.PATTERN), ("noise", dots.NOISE)):
            changed = dots.bits_of(next(row for row in rows if (row.attack, round(row.epsilon * 255)) == (attack, level)), 300)
            place = f"#dots [data-field={field}]"
            wait_for(page, f"{place} output", f"^{changed.sum()} of 300 answers changed")
            for kind, among in (("right", right), ("wrong", ~right)):
                assert page.locator(f"{place} svg > use.{kind}").count() == among.sum()
                assert page.locator(f"{place} svg > use.{kind}.on").count() == (among & changed).sum()
    set_epsilon(page, 10)


@pytest.mark.goes_on
def test_nothing_noise_and_pattern(page) -> None:
    page.locator("#modes label", has_text="nothing").click()
    wait_for(page, "#first-view .sentence", "You see a lion. So does the network: lion.")
    assert (shown(page, NOW) == lion()).all()
    page.locator("#modes label", has_text="random noise").click()
    wait_for(page, "#first-view .now .tag", "noise")
    wait_for_photograph(page, picture_at(lion(), noise_of(SIZE, "linf", 10.0), 10.0), NOW)
    assert after_label(page) == "lion", "noise of the same strength does not do it"
    page.locator("#modes label", has_text="the pattern").click()
    wait_for(page, "#first-view .sentence", "The network sees (?!lion)")


@pytest.mark.goes_on
def test_picture_and_words_follow_the_slider_as_it_moves(page) -> None:
    """Within 150 ms at the 95th percentile, of 60 steps; the answers at all strengths were asked ahead."""
    page.wait_for_function("uapFirst.complete()")
    seconds, labels = page.evaluate("""async () => {
      const slider = document.querySelector("#epsilon input[type=range]"), view = document.querySelector(".first");
      const took = [], labels = {};
      for (let step = 0; step < 60; step++) {
        const level = 1 + ((7 * step) % 32), begun = performance.now();
        uapFirst.set(level, false);
        while (view.dataset.strength !== String(level)) await new Promise(requestAnimationFrame);
        took.push(performance.now() - begun);
        labels[level] = view.querySelector(".now .word").textContent;
      }
      return [took.sort((a, b) => a - b), labels];
    }""")
    assert seconds[56] < 150, seconds
    network = load_model("resnet64")
    levels = sorted(map(int, labels))
    said = answers(network, (picture_at(lion(), change(), level) for level in levels))
    assert [labels[str(level)] for level in levels] == [answer.label for answer in said]


@pytest.mark.goes_on
def test_an_earlier_answer_that_comes_late_takes_no_words_away(page) -> None:
    """One for a step of the slider, worked out before the words at all strengths and sent after them."""
    page.evaluate("""() => {
      const place = document.querySelector("#first-data [data-view]"), late = JSON.parse(place.dataset.view);
      place.dataset.view = JSON.stringify({ ...late, strength: 7, complete: false, says: { pattern: {}, noise: {} } });
    }""")
    page.locator("#first-view .first[data-strength='7']").wait_for()
    assert page.evaluate("uapFirst.complete()")
    assert page.locator("#first-view .now.asking").count() == 0


@pytest.mark.goes_on
def test_holding_shows_the_photograph_and_the_pattern_can_be_seen_enlarged(page) -> None:
    set_epsilon(page, 10)
    wait_for(page, "#numbers", "10/255")
    page.locator("[data-tool=hold]").hover()
    page.mouse.down()
    wait_for(page, "#first-view .now .tag", "without")
    assert (shown(page, NOW) == lion()).all()
    page.mouse.up()
    page.locator("[data-tool=ten]").click()
    enlarged = shown(page, NOW).astype(int)
    page.locator("[data-tool=ten]").click()
    moved = change().at(10.0).repeat(7, 0).repeat(7, 1)
    assert np.abs(enlarged - (127.5 + 10 * moved).clip(0, 255)).max() <= 1


@pytest.mark.goes_on
def test_epsilon_zero_changes_nothing(page) -> None:
    set_epsilon(page, 0)
    wait_for(page, "#numbers", "no change")
    assert (shown(page, NOW) == lion()).all()


@pytest.mark.goes_on
def test_the_downloaded_picture_is_the_one_that_is_shown_and_has_its_label(page, classifier) -> None:
    set_epsilon(page, 16)
    wait_for(page, "#numbers", "16/255")
    with page.expect_download() as download:
        page.locator("#download-png").click()
    pixels = np.asarray(Image.open(download.value.path()))
    assert (pixels == shown(page, NOW)).all()
    assert next(answers(classifier, [pixels])).label == after_label(page)
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
    page.locator("#strip [data-photo='sample:espresso']").click()
    wait_for_photograph(page, photograph("espresso"))
    wait_for(page, "#first-view .sentence", "an espresso")
    assert page.locator("#strip [aria-pressed=true]").get_attribute("data-photo") == "sample:espresso"
    page.locator("[data-bar=another]").click()
    page.wait_for_function("!document.querySelector('.first .sentence').textContent.includes('espresso')")


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
    for name, sentence in expected.items():
        page.locator("#pattern-file input[type=file]").set_input_files(tmp_path / name)
        wait_for(page, "#bar-said", sentence)
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
    bottom = page.locator("#bar").bounding_box()["y"]
    for place in (".was .frame", ".now .frame", ".now .word"):
        box = page.locator(f"#first-view {place}").first.bounding_box()
        assert box["y"] + box["height"] <= bottom + 1
    assert page.locator("#first-view .now .frame").bounding_box()["width"] > 600
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
