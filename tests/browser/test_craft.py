"""The tab Craft in a real browser: a pattern comes into being, is named, kept, used everywhere, downloaded and opened again."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from quick_page import open_on_the_quick_network
from test_page import after_label, set_epsilon, wait_for

from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.perturbations.perturbation import load_perturbation

NAME = "<b>Mine</b> & $\\frac$"


def craft_tab(page) -> None:
    page.get_by_role("tab", name="Craft", exact=True).click()
    wait_for(page, "#craft-images", "of 64 dreamt images")


def fill(page, name: str, number: int) -> None:
    page.locator(f"#{name} input[type=number]").fill(str(number))
    page.keyboard.press("Enter")


def craft(page, images: int = 16, cost: int = 200) -> None:
    fill(page, "craft-images", images)
    fill(page, "craft-cost", cost)
    page.locator("#craft-run").click()


def finish(page, images: int = 16, cost: int = 200) -> str:
    """Craft to the end; what the page says then."""
    craft(page, images, cost)
    # Of the run before.
    page.wait_for_function("!document.querySelector('#craft-status').innerText.includes('Done: ')", polling=100)
    said = wait_for(page, "#craft-status", "Done: ", timeout=180_000)
    page.locator("#craft-keep:enabled").wait_for()
    return said


def source(page, name: str) -> str:
    return page.locator(f"#{name} img").get_attribute("src")


def saved(page, button: str) -> Path:
    with page.expect_download() as download:
        page.locator(f"#{button}").click()
    path = Path(download.value.path())
    return path.rename(path.with_name(download.value.suggested_filename))


def values_of(page, button: str) -> np.ndarray:
    return np.load(saved(page, button), allow_pickle=False)


def keep(page, name: str) -> None:
    page.locator("#craft-name").locator("input, textarea").fill(name)
    page.locator("#craft-keep").click()


def test_the_first_sight_is_precomputed_and_says_so(page) -> None:
    craft_tab(page)
    assert "precomputed" in page.locator("#craft-status").inner_text()
    assert "25600 image-gradients" in page.locator("#craft-numbers").inner_text()
    for name in ("craft-pattern", "craft-photograph"):
        image = page.locator(f"#{name} img")
        image.wait_for()
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    page.locator("#craft-chart figure").wait_for()
    assert page.locator("#craft-keep").is_disabled()
    set_epsilon(page, 0)
    assert "abacus" not in wait_for(page, "#craft-labels", "Now: lion")


@pytest.mark.goes_on
def test_epsilon_0_and_impossible_numbers_say_a_sentence(page) -> None:
    craft_tab(page)
    set_epsilon(page, 0)
    page.locator("#craft-run").click()
    wait_for(page, "#craft-status", "Crafting needs an epsilon above 0")
    set_epsilon(page, 10)
    fill(page, "craft-seed", -1)
    page.wait_for_timeout(1000)  # a click right after a run is passed by while that one ends
    page.locator("#craft-run").click()
    wait_for(page, "#craft-status", "The seed is a whole number from 0")
    fill(page, "craft-seed", 0)


@pytest.mark.goes_on
def test_it_streams_stops_and_keeps_what_is_shown(page) -> None:
    craft_tab(page)
    before = source(page, "craft-pattern")
    craft(page, images=64, cost=4000)
    wait_for(page, "#craft-status", "No pattern yet|image-gradients", timeout=10_000)
    wait_for(page, "#craft-status", r"\d+ of 4000 image-gradients.* it fooled", timeout=120_000)
    first = source(page, "craft-pattern")
    page.wait_for_function("before => document.querySelector('#craft-pattern img').src != before", arg=first)
    assert first != before
    page.locator("#craft-name").locator("input, textarea").fill("half made")
    page.keyboard.press("Enter")  # what grows cannot be kept, by the button or without it
    page.locator("#craft-stop").click()
    said = wait_for(page, "#craft-status", r"Stopped after \d+ image-gradients; the pattern stays. Fools .* of 64\)")
    spent = re.search(r"after (\d+)", said)
    assert spent
    page.wait_for_timeout(2000)
    assert "Stopped" in page.locator("#craft-status").inner_text()  # and it stays stopped
    assert f"{spent.group(1)} image-gradients" in page.locator("#craft-numbers").inner_text()
    page.locator("#craft-keep:enabled").wait_for()
    assert "half made" not in page.locator("#craft-kept-note").inner_text()
    stated = load_perturbation(saved(page, "craft-file")).provenance
    assert stated["image_gradients"] == int(spent.group(1))
    assert stated["held_out"]["set"].startswith("64 images")


@pytest.mark.goes_on
def test_kept_under_any_name_used_everywhere_and_opened_again(page, classifier) -> None:
    craft_tab(page)
    assert "held-out dreamt images; random signs" in finish(page)
    crafted = values_of(page, "craft-npy")
    assert np.abs(crafted).max() <= 10 / 255 + 1e-6
    keep(page, NAME)
    assert f"Kept as {NAME}." in wait_for(page, "#craft-kept-note", "Kept as")
    page.wait_for_function("name => document.querySelector('#pattern input').value == name", arg=f"{NAME} (yours)")
    wait_for(page, "#pattern-note", "Crafted on 16 images")
    assert page.locator("#craft-kept input").input_value() == NAME
    assert page.locator("#craft-kept-note b").count() == 0, "a name is text"
    own = saved(page, "craft-file")
    assert own.name == "uap-b-mine-b-frac.safetensors"
    label = re.search(r"Now: (.*), \d+% sure", wait_for(page, "#craft-labels", "Now: "))
    assert label

    page.get_by_role("tab", name="Apply").click()
    wait_for(page, "#numbers", "10/255")
    page.wait_for_timeout(1500)
    assert (values_of(page, "download-npy") == crafted).all()
    assert after_label(page) == label.group(1)
    page.get_by_role("tab", name="Epsilon").click()  # whose charts have the name in their titles
    page.locator("#photo-chart figure").wait_for()
    wait_for(page, "#photo-chart-note", "strength")

    page.locator("#own-pattern button").first.click()
    page.locator("#pattern-file input[type=file]").set_input_files(own)
    assert "l_inf 10/255" in wait_for(page, "#pattern-note", re.escape(f"Opened {NAME}"))
    page.get_by_role("tab", name="Apply").click()
    page.wait_for_timeout(1500)
    assert (values_of(page, "download-npy") == crafted).all()


def test_several_are_kept_and_forgotten_and_nobody_else_sees_them(page, browser, server: str) -> None:
    craft_tab(page)
    finish(page)
    for name in ("one", "two"):
        keep(page, name)
        wait_for(page, "#craft-kept-note", f"Kept as {name}")
    page.wait_for_function("document.querySelector('#pattern input').value == 'two (yours)'")
    other = browser.new_page(locale="en-US")
    other.set_default_timeout(60_000)
    open_on_the_quick_network(other, server)
    other.locator("#pattern input").click()
    assert other.get_by_role("option", name="(yours)").count() == 0
    other.get_by_role("tab", name="Craft", exact=True).click()
    wait_for(other, "#craft-images", "of 64 dreamt images")
    assert other.locator("#craft-keep").is_disabled()
    assert not other.locator("#craft-kept").is_visible()
    other.close()
    page.locator("#craft-forget").click()
    wait_for(page, "#craft-kept-note", "two is forgotten")
    page.wait_for_function("document.querySelector('#pattern input').value == 'ResNet-64 (embedded), l_inf 10/255'")
    wait_for(page, "#pattern-note", "Crafted on 2000 images")
    page.locator("#craft-use").click()
    page.wait_for_function("document.querySelector('#pattern input').value == 'one (yours)'")
    page.locator("#craft-forget").click()
    page.locator("#craft-kept-row").wait_for(state="hidden")
    page.locator("#pattern input").click()
    assert page.get_by_role("option", name="(yours)").count() == 0


@pytest.mark.goes_on
def test_the_photograph_can_be_changed_afterwards(page) -> None:
    craft_tab(page)
    finish(page)
    numbers = page.locator("#craft-numbers table").inner_text()
    page.locator("#gallery .thumbnail-item").nth([photo.key for photo in SAMPLE_PHOTOS].index("espresso")).click()
    wait_for(page, "#craft-labels", "Before: espresso")
    assert page.locator("#craft-numbers table").inner_text() == numbers


@pytest.mark.goes_on
def test_it_is_crafted_in_the_norm_of_the_chosen_pattern(page) -> None:
    page.locator("#pattern input").click()
    page.get_by_role("option", name=re.compile("l2 2000")).click()
    wait_for(page, "#pattern-note", "Fools")
    craft_tab(page)
    finish(page)
    made = load_perturbation(saved(page, "craft-file"))
    assert (made.ball.p, made.ball.radius) == ("l2", 2000 / 255)
    assert made.norms.l2 == pytest.approx(2000 / 255, rel=1e-3)


@pytest.mark.goes_on
def test_a_class_is_reached_by_name_by_a_method_that_can(page) -> None:
    craft_tab(page)
    page.locator("#craft-goal").get_by_label("a class that I choose").click()
    page.locator("#craft-run").click()
    wait_for(page, "#craft-status", "Choose the class to reach")
    page.locator("#craft-target input").fill("goldf")
    page.get_by_role("option", name="goldfish", exact=True).click()
    page.locator("#craft-method input").click()
    page.get_by_role("option", name="SV-UAP", exact=True).click()
    wait_for(page, "#craft-method-note", "power method")
    page.locator("#craft-run").click()
    wait_for(page, "#craft-status", "SV-UAP cannot aim at a class")
    page.locator("#craft-method input").click()
    page.get_by_role("option", name="SPGD", exact=True).click()
    wait_for(page, "#craft-method-note", "Sign steps")
    assert "into 'goldfish'" in finish(page)
    assert load_perturbation(saved(page, "craft-file")).provenance["target"] == "goldfish"


@pytest.mark.goes_on
def test_the_map_leads_here(page) -> None:
    page.get_by_text("The attacks on one map").click()
    page.locator("#map").get_by_role("button", name="Craft", exact=True).click()
    page.get_by_role("tab", name="Craft", exact=True, selected=True).wait_for()
    page.locator("#craft-chart figure").wait_for()
