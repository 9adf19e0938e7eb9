"""The tab Compare in a real browser."""

from __future__ import annotations

import csv
import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from test_page import wait_for

from uap_core.images.reading import from_array


def compare_tab(page) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.locator(".bouts tr").nth(3).wait_for()


def bouts(page) -> dict[str, list[str]]:
    """Attack to the texts of its line's cells."""
    lines = [[cell.inner_text() for cell in line.locator("td").all()] for line in page.locator(".bouts tr").all()[1:]]
    return {cells[2].splitlines()[0]: cells for cells in lines}


def test_compare_tab_attacks_streams_and_offers_everything(page, classifier) -> None:
    compare_tab(page)
    assert list(bouts(page)) == ["Universal pattern", "Random signs", "FGSM"]
    page.locator("#compare-run").click()
    page.locator(".bouts tr").nth(1).wait_for()
    wait_for(page, "#compare-status", "Done", timeout=120_000)
    rows = bouts(page)
    expected = ["Universal pattern", "Random signs", "FGSM", "FGSM's iterates", "DeepFool", "L-BFGS", "Carlini & Wagner l2"]
    assert list(rows) == expected
    assert "runner-up" in rows["L-BFGS"][2]
    assert page.locator(".bouts img").count() == 2 * len(rows)
    for image in page.locator(".bouts img").all():
        assert image.evaluate("image => image.complete && image.naturalWidth > 0"), "every picture is there"
    page.locator("#compare-chart figure").wait_for()
    with page.expect_download() as download:
        page.locator("#compare-zip").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        listed = list(csv.DictReader(io.StringIO(archive.read("comparison.csv").decode())))
        assert [row["name"] for row in listed] == expected
        for row in listed:
            pixels = np.asarray(Image.open(io.BytesIO(archive.read(f"{row['key']}.png"))))
            assert classifier.labels[int(classifier(from_array(pixels)).argmax())] == row["png_label"]


def test_compare_tab_reaches_a_class_and_leaves_the_prediction_out(page) -> None:
    prediction = page.locator("#before .name").first.inner_text()
    compare_tab(page)
    page.get_by_label("a class that I choose").click()
    for name in ("FGSM's iterates", "DeepFool", "L-BFGS"):
        page.locator("#attacks").get_by_label(name, exact=True).uncheck()
    page.locator("#compare-run").click()
    wait_for(page, "#compare-status", "Choose the class")
    page.locator("#target input").fill(prediction)
    page.wait_for_timeout(500)
    assert page.get_by_role("option", name=prediction, exact=True).count() == 0
    page.locator("#target input").fill("goldf")
    page.get_by_role("option", name="goldfish", exact=True).click()
    page.locator("#compare-run").click()
    wait_for(page, "#compare-status", "Done", timeout=120_000)
    row = bouts(page)["Carlini & Wagner l2"]
    assert "goldfish" in row[2]
    assert row[4] == "into the target"


@pytest.mark.goes_on
def test_compare_tab_stops_in_the_middle_of_an_attack(page) -> None:
    compare_tab(page)
    for name in ("FGSM", "FGSM's iterates", "DeepFool", "L-BFGS", "Carlini & Wagner l2"):
        page.locator("#attacks").get_by_label(name, exact=True).uncheck()
    page.locator("#attacks").get_by_label("Carlini & Wagner l_0", exact=True).check()
    page.get_by_label("thorough, 4 times the steps").click()
    page.locator("#compare-run").click()
    wait_for(page, "#compare-status", r"Carlini & Wagner l_0: [\d.]+ s")
    page.locator("#compare-stop").click()
    wait_for(page, "#compare-status", "Stopped")
    page.wait_for_timeout(1500)
    assert "Stopped" in page.locator("#compare-status").inner_text()
    assert list(bouts(page)) == ["Universal pattern", "Random signs"]
