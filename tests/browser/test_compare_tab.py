"""The tab Compare in a real browser."""

from __future__ import annotations

import csv
import io
import zipfile

import numpy as np
import pytest
from first_view import wait_for
from PIL import Image

from uap_core.images.reading import from_array


def compare_tab(page) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.locator(".bouts.cards tr").nth(3).wait_for()
    wait_for(page, "#compare-run", r"\(about \d+ (s|min)\)")


def unfold(page) -> None:
    if not page.locator("#attacks").is_visible():
        page.locator("#compare-details button").first.click()
    page.locator("#attacks").wait_for()


def choose(page, *names: str) -> None:
    """Tick these attacks alone."""
    unfold(page)
    for box in page.locator("#attacks label").all():
        box.set_checked(box.inner_text().strip() in names)


def bouts(page) -> dict[str, list[str]]:
    """Attack to the texts of its line's cells, in the short table."""
    lines = [[cell.inner_text() for cell in line.locator("td").all()] for line in page.locator(".bouts.cards tr").all()[1:]]
    return {cells[1].splitlines()[0]: cells for cells in lines}


def test_compare_tab_attacks_streams_and_offers_everything(page, classifier) -> None:
    compare_tab(page)
    assert list(bouts(page)) == ["Universal pattern", "Random noise", "FGSM"]
    picture = page.locator("#compare-chart :is(img, figure)").first
    picture.wait_for()
    chart, table = picture.bounding_box(), page.locator("#contenders table").bounding_box()
    assert chart["y"] + chart["height"] <= table["y"], "the chart comes first"
    assert not page.locator("#compare-stop").is_visible()
    assert page.locator("#compare-run").inner_text().startswith("Run all 15 (about")
    page.locator("#compare-run").click()
    wait_for(page, "#compare-status", r"\d+ of 15, (about \d+ (s|min)|a moment) left")
    assert page.locator("#compare-stop").is_visible()
    wait_for(page, "#compare-status", "Done", timeout=180_000)
    page.locator("#compare-stop").wait_for(state="hidden")
    rows = bouts(page)
    assert {"FGSM", "I-FGSM (BIM)", "PGD", "MI-FGSM", "Carlini & Wagner l2"} <= set(rows)
    assert len(rows) == 15
    assert "runner-up" in rows["L-BFGS"][1]
    assert "inf dB" not in page.locator("#compare-details").inner_text()
    unfold(page)
    page.locator(".bouts.all tr").nth(15).wait_for()
    for image in page.locator(".bouts img").all():
        assert image.evaluate("image => image.complete && image.naturalWidth > 0"), "every picture is there"
    with page.expect_download() as download:
        page.locator("#compare-zip").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        listed = list(csv.DictReader(io.StringIO(archive.read("comparison.csv").decode())))
        assert [row["name"] for row in listed] == list(rows)
        for row in listed:
            pixels = np.asarray(Image.open(io.BytesIO(archive.read(f"{row['key']}.png"))))
            assert classifier.labels[int(classifier(from_array(pixels)).argmax())] == row["png_label"]


@pytest.mark.goes_on
def test_the_tab_is_no_longer_than_three_screens(page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("#compare-details button").first.click()
    page.locator("#attacks").wait_for(state="hidden")
    assert len(bouts(page)) == 15
    assert page.evaluate("document.documentElement.scrollHeight") <= 2700
    page.set_viewport_size({"width": 1400, "height": 1000})


def test_compare_tab_reaches_a_class_and_leaves_the_prediction_out(page) -> None:
    compare_tab(page)
    prediction = bouts(page)["Random noise"][2].splitlines()[0].strip()
    page.get_by_label("into a class that I choose").click()
    choose(page, "Universal pattern", "Random noise", "FGSM", "Carlini & Wagner l2")
    wait_for(page, "#compare-run", r"Run 4 \(about")
    page.locator("#compare-run").click()
    wait_for(page, "#compare-status", "Choose the class")
    page.locator("#target input").fill(prediction)
    page.wait_for_timeout(500)
    assert page.get_by_role("option", name=prediction, exact=True).count() == 0
    page.locator("#target input").fill("goldf")
    page.get_by_role("option", name="goldfish", exact=True).click()
    page.locator("#compare-run:enabled").click()
    wait_for(page, "#compare-status", "Done", timeout=120_000)
    row = bouts(page)["Carlini & Wagner l2"]
    assert "goldfish" in row[1]
    assert row[3] == "into the target"


@pytest.mark.goes_on
def test_compare_tab_stops_in_the_middle_of_an_attack(page) -> None:
    compare_tab(page)
    choose(page, "Universal pattern", "Random noise", "Carlini & Wagner l_0")
    page.get_by_label("thorough, 4 times the steps").click()
    page.locator("#compare-run:enabled").click()
    wait_for(page, "#compare-status", r"Carlini & Wagner l_0: 2 of 3, ")
    page.locator("#compare-stop").click()
    wait_for(page, "#compare-status", "Stopped")
    page.wait_for_timeout(800)
    assert "Stopped" in page.locator("#compare-status").inner_text()
    assert list(bouts(page)) == ["Universal pattern", "Random noise"]


def test_on_a_phone_lines_are_cards_and_names_stay_in_view(phone) -> None:
    phone.get_by_role("tab", name="Compare", exact=True).click()
    phone.locator(".bouts.cards tr").nth(3).wait_for()
    for cell in phone.locator(".bouts.cards tr").nth(1).locator("td").all():
        box = cell.bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390
    phone.locator("#compare-details button").first.click()
    names = phone.locator(".bouts.all tr").nth(1).locator("td").first
    names.scroll_into_view_if_needed()
    before = names.bounding_box()["x"]
    phone.locator("#compare-all .wide").evaluate("frame => { frame.scrollLeft = 300; }")
    assert names.bounding_box()["x"] == pytest.approx(before, abs=2)
