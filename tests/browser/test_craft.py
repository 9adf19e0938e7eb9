"""The tab Craft in a real browser: a pattern comes into being, is named, kept, used everywhere, downloaded and opened again."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from first_view import set_epsilon, wait_for
from quick_page import open_on_the_quick_network

from uap_core.perturbations.perturbation import load_perturbation

CHART = ":is(img, figure)"  # as a picture, or drawn in the page
NAME = "<b>Mine</b> & $\\frac$"


def craft_tab(page) -> None:
    page.get_by_role("tab", name="Craft", exact=True).click()
    wait_for(page, "#craft-run", r"Make one \(about \d+ (s|min)\)")


def open_more(page) -> None:
    """The fold of method, effort and seed."""
    if not page.locator("#craft-seed").is_visible():
        page.locator("#craft-more button").first.click()
    wait_for(page, "#craft-images", "of 32 ")


def unfold(page) -> None:
    """The fold for researchers."""
    if not page.locator("#craft-numbers").is_visible():
        page.locator("#craft-details button").first.click()
    page.locator("#craft-numbers").wait_for()


def fill(page, name: str, number: int) -> None:
    page.locator(f"#{name} input[type=number]").fill(str(number))
    page.keyboard.press("Enter")


def craft(page, images: int = 16, cost: int = 96) -> None:
    open_more(page)
    fill(page, "craft-images", images)
    fill(page, "craft-cost", cost)
    page.locator("#craft-run").click()


def finish(page, images: int = 16, cost: int = 96) -> str:
    """Craft to the end; what the page says then."""
    craft(page, images, cost)
    # Of the run before.
    page.wait_for_function("!document.querySelector('#craft-status').innerText.includes('Done in ')", polling=100)
    said = wait_for(page, "#craft-status", "Done in ", timeout=180_000)
    page.locator("#craft-keep").wait_for()
    page.locator("#craft-run:enabled").wait_for()
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
    assert "precomputed" in wait_for(page, "#craft-status", "Shown")
    assert "fooled" in page.locator("#craft-lesson").inner_text()
    page.locator(f"#craft-chart {CHART}").first.wait_for()
    for name in ("craft-pattern", "craft-photograph"):
        image = page.locator(f"#{name} img")
        image.wait_for()
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    for name in ("craft-keep", "craft-use", "craft-stop", "craft-quick", "craft-seed"):
        assert not page.locator(f"#{name}").is_visible(), name
    unfold(page)
    assert "25600 image-gradients" in wait_for(page, "#craft-numbers", "image-gradients")
    page.locator(f"#craft-methods {CHART}").first.wait_for()
    set_epsilon(page, 0)
    assert "abacus" not in wait_for(page, "#craft-labels", "Now: lion")


def in_view(page, name: str, foot: str = "#bar") -> bool:
    """Whether all of an element stands above the bar and below the window's top."""
    box, bar = page.locator(name).first.bounding_box(), page.locator(foot).bounding_box()
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= bar["y"] + 1


def test_while_it_runs_all_that_matters_is_in_view(page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    craft_tab(page)
    places = ["craft-status", "craft-pattern img", "craft-photograph img", "craft-labels", f"craft-chart {CHART}"]
    craft(page, images=32, cost=4000)
    page.locator("#craft-more button").first.click()
    page.evaluate("window.scrollTo(0, 0)")
    wait_for(page, "#craft-status", r"\d+ of 4000 looks, about \d+ (s|min) left")
    assert [name for name in ["craft-run", "craft-stop", *places] if not in_view(page, f"#{name}")] == []
    assert page.locator("#craft-run").is_disabled()
    page.locator("#craft-stop").click()
    assert page.locator("#craft-run").is_disabled(), "a click before the step under way has ended would be passed by"
    wait_for(page, "#craft-status", "Stopped after")
    page.locator("#craft-run:enabled").wait_for()
    page.locator("#craft-stop").wait_for(state="hidden")
    page.locator("#craft-use").wait_for()
    assert [name for name in ["craft-run", "craft-use", "craft-keep", *places] if not in_view(page, f"#{name}")] == []
    page.locator("#craft-clear").click()
    wait_for(page, "#craft-status", "ready-made")
    page.locator("#craft-use").wait_for(state="hidden")
    page.set_viewport_size({"width": 1400, "height": 1000})


def test_a_network_without_pictures_leads_to_the_quick_one_in_one_click(unopened, server: str) -> None:
    page = unopened
    page.goto(f"{server}/?network=efficientnet_lite2&tab=craft")
    wait_for(page, "#craft-live-note", "No pictures are here to make a pattern for EfficientNet-Lite2 from")
    assert not page.locator("#craft-run").is_visible()
    width = page.locator("#craft-photograph img").bounding_box()["width"]
    page.locator("#craft-quick").click()
    wait_for(page, "#craft-run", r"Make one \(about")
    assert page.locator("#craft-live-note").inner_text().strip() == ""
    assert "ResNet-64" in page.locator("#network input").input_value()
    wait_for(page, "#craft-labels", "According to ResNet-64")
    assert page.locator("#craft-photograph img").bounding_box()["width"] >= width - 2, "no smaller"


def test_it_ends_where_enough_is_reached(page) -> None:
    craft_tab(page)
    page.get_by_label("stop at 80%").click()
    said = finish(page, 32, 2000)
    spent = re.search(r"after (\d+) of 2000 looks 80% was reached", said)
    assert spent
    assert int(spent[1]) < 2000


@pytest.mark.goes_on
def test_strength_0_and_impossible_numbers_say_a_sentence(page) -> None:
    craft_tab(page)
    set_epsilon(page, 0)
    page.wait_for_function("location.search.includes('eps=0')")
    page.locator("#craft-run").click()
    wait_for(page, "#craft-status", "Crafting needs a strength above 0")
    set_epsilon(page, 10)
    open_more(page)
    fill(page, "craft-seed", -1)
    page.wait_for_timeout(1000)  # a click right after a run is passed by while that one ends
    page.locator("#craft-run").click()
    wait_for(page, "#craft-status", "The seed is a whole number from 0")
    fill(page, "craft-seed", 0)
    page.get_by_label("use all looks").click()


@pytest.mark.goes_on
def test_it_streams_stops_and_keeps_what_is_shown(page) -> None:
    craft_tab(page)
    unfold(page)
    before = source(page, "craft-pattern")
    craft(page, images=32, cost=4000)
    wait_for(page, "#craft-status", r"No pattern yet|looks", timeout=10_000)
    wait_for(page, "#craft-status", r"\d+ of 4000 looks.* It fools", timeout=120_000)
    first = source(page, "craft-pattern")
    page.wait_for_function("before => document.querySelector('#craft-pattern img').src != before", arg=first)
    assert first != before
    assert not page.locator("#craft-keep").is_visible(), "what grows cannot be kept"
    page.locator("#craft-stop").click()
    said = wait_for(page, "#craft-status", r"Stopped after \d+ looks; the pattern stays. Fools .* of 32\)")
    spent = re.search(r"after (\d+)", said)
    assert spent
    page.wait_for_timeout(800)
    assert "Stopped" in page.locator("#craft-status").inner_text()  # and it stays stopped
    assert f"{spent.group(1)} image-gradients" in page.locator("#craft-numbers").inner_text()
    page.locator("#craft-keep").wait_for()
    stated = load_perturbation(saved(page, "craft-file")).provenance
    assert stated["image_gradients"] == int(spent.group(1))
    assert stated["held_out"]["set"].startswith("32 images")


@pytest.mark.goes_on
def test_kept_under_any_name_used_everywhere_and_opened_again(page, classifier) -> None:
    craft_tab(page)
    assert "that it was not made from; random noise" in finish(page)
    unfold(page)
    crafted = values_of(page, "craft-npy")
    assert np.abs(crafted).max() <= 10 / 255 + 1e-6
    keep(page, NAME)
    assert f"Kept as {NAME}:" in wait_for(page, "#craft-kept-note", "Kept as")
    assert page.locator("#craft-kept input").input_value() == NAME
    assert page.locator("#craft-kept-note b").count() == 0, "a name is text"
    page.locator("#craft-use").click()
    page.wait_for_function("name => document.querySelector('#pattern input').value == name", arg=f"{NAME} (yours)")
    wait_for(page, "#craft-kept-note", "all tabs use it")
    own = saved(page, "craft-file")
    assert own.name == "uap-b-mine-b-frac.safetensors"
    assert (load_perturbation(own).pattern.numpy() == crafted).all()
    page.get_by_role("tab", name="Epsilon").click()  # whose charts have the name in their titles
    page.locator(f"#photo-chart {CHART}").first.wait_for()


def test_several_are_kept_and_forgotten_and_nobody_else_sees_them(page, browser, server: str) -> None:
    craft_tab(page)
    finish(page)
    for name in ("one", "two"):
        keep(page, name)
        wait_for(page, "#craft-kept-note", f"Kept as {name}")
    page.locator("#craft-choose").click()
    page.wait_for_function("document.querySelector('#pattern input').value == 'two (yours)'")
    other = browser.new_page(locale="en-US")
    other.set_default_timeout(60_000)
    open_on_the_quick_network(other, server)
    other.locator("#pattern input").click()
    assert other.get_by_role("option", name="(yours)").count() == 0
    craft_tab(other)
    assert not other.locator("#craft-keep").is_visible()
    assert not other.locator("#craft-kept").is_visible()
    other.close()
    page.locator("#craft-forget").click()
    wait_for(page, "#craft-kept-note", "two is forgotten")
    page.wait_for_function("document.querySelector('#pattern input').value == 'its own, strength 10 of 255'")
    page.locator("#craft-choose").click()
    page.wait_for_function("document.querySelector('#pattern input').value == 'one (yours)'")
    page.locator("#craft-forget").click()
    page.locator("#craft-kept-row").wait_for(state="hidden")
    page.locator("#pattern input").click()
    assert page.get_by_role("option", name="(yours)").count() == 0


@pytest.mark.goes_on
def test_the_photograph_can_be_changed_afterwards(page) -> None:
    page.keyboard.press("Escape")
    craft_tab(page)
    finish(page)
    unfold(page)
    numbers = page.locator("#craft-numbers table").inner_text()
    page.get_by_role("tab", name="Apply", exact=True).click()
    page.locator("#strip [data-photo='sample:espresso']").click()
    craft_tab(page)
    wait_for(page, "#craft-labels", "Before: espresso")
    assert page.locator("#craft-numbers table").inner_text() == numbers


@pytest.mark.goes_on
def test_it_is_crafted_in_the_norm_of_the_chosen_pattern(page) -> None:
    page.locator("#pattern input").click()
    page.get_by_role("option", name=re.compile(r"length 2000 \(l2\)")).click()
    craft_tab(page)
    wait_for(page, "#epsilon", "l2 of the pattern")
    finish(page)
    unfold(page)
    made = load_perturbation(saved(page, "craft-file"))
    assert (made.ball.p, made.ball.radius) == ("l2", 2000 / 255)
    assert made.norms.l2 == pytest.approx(2000 / 255, rel=1e-3)


@pytest.mark.goes_on
def test_a_class_is_reached_by_name_by_a_method_that_can(page) -> None:
    craft_tab(page)
    page.locator("#craft-goal").get_by_label("into one class").click()
    page.locator("#craft-run").click()
    wait_for(page, "#craft-status", "Choose the class to reach")
    page.locator("#craft-target input").fill("goldf")
    page.get_by_role("option", name="goldfish", exact=True).click()
    open_more(page)
    page.locator("#craft-method input").click()
    page.get_by_role("option", name="SV-UAP", exact=True).click()
    wait_for(page, "#craft-method-note", "power method")
    page.locator("#craft-run").click()
    wait_for(page, "#craft-status", "SV-UAP cannot aim at a class")
    page.locator("#craft-method input").click()
    page.get_by_role("option", name="SPGD", exact=True).click()
    wait_for(page, "#craft-method-note", "Sign steps")
    assert "into 'goldfish'" in finish(page)
    unfold(page)
    assert load_perturbation(saved(page, "craft-file")).provenance["target"] == "goldfish"


def test_on_a_phone_result_and_curve_fit_its_width(phone) -> None:
    phone.get_by_role("tab", name="Craft", exact=True).click()
    phone.locator(f"#craft-chart {CHART}").first.wait_for()
    for name in ("craft-run", "craft-until", "craft-pattern img", "craft-photograph img", f"craft-chart {CHART}"):
        box = phone.locator(f"#{name}").first.bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390, name


def test_a_class_alone_and_one_more_pattern_are_made_and_used(page) -> None:
    craft_tab(page)
    for fold, said, mark in (
        ("alone", r"It fools \d+% of the \d+ pictures of these classes.* Measured live on 32", "live"),
        ("several", "Live: 2 patterns fool", "live, l_inf 10/255, on 32 class impressions"),
    ):
        page.locator(f"#{fold}-fold .label-wrap").click()
        page.locator(f"#{fold}-chart {CHART}").first.wait_for()
        assert "live" not in page.locator(f"#{fold}-chart").inner_text()
        page.locator(f"#{fold}-run").click()
        page.locator(f"#{fold}-stop").wait_for()
        wait_for(page, f"#{fold}-status", said)
        page.locator(f"#{fold}-stop").wait_for(state="hidden")
        assert mark in page.locator(f"#{fold}-chart").inner_text()
    page.locator("#several-use").click()
    wait_for(page, "#several-status", "Pattern 2 of several.*: chosen, and all tabs use it")
    page.wait_for_function("document.querySelector('#pattern input').value.includes('Pattern 2 of several')")
    page.locator("#craft-kept-row").wait_for()  # the list above has it as well
    assert "Pattern 2 of several" in page.locator("#craft-kept input").input_value()
