"""The page in a real browser, as a visitor uses it."""

from __future__ import annotations

import csv
import io
import os
import re
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from uap_core.images import SAMPLE_PHOTOS, from_array, square
from uap_core.library import library
from uap_core.perturbation import load_perturbation

SIZE = 64


def set_epsilon(page, level: float) -> None:
    page.locator("#epsilon input[type=number]").fill(f"{level:g}")
    page.keyboard.press("Enter")


def verdict(page) -> str:
    return page.locator("#verdict").inner_text()


def wait_for(page, selector: str, pattern: str, timeout: int = 60_000) -> str:
    """Wait until the text of ``selector`` matches; return it."""
    page.wait_for_function(
        "([selector, pattern]) => new RegExp(pattern).test(document.querySelector(selector)?.innerText || '')",
        arg=[selector, pattern],
        timeout=timeout,
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


def lion() -> np.ndarray:
    return np.asarray(square(SAMPLE_PHOTOS[0].open(), SIZE, SIZE))


def test_the_first_view_is_filled(page) -> None:
    assert re.search("Fooled|Not fooled", verdict(page))
    assert page.locator("#before .row").count() == 5
    assert page.locator("#after .row").count() == 5
    assert "10/255" in page.locator("#numbers").inner_text()


def test_the_browser_receives_the_array(page) -> None:
    values = load_perturbation(library()[0].path).pattern.permute(1, 2, 0).numpy()
    expected = np.rint(lion() + 255 * values).clip(0, 255).astype(np.uint8)
    clean, perturbed = slider_pictures(page)
    times = clean.shape[0] // SIZE
    assert (clean[::times, ::times] == lion()).all()
    assert (perturbed[::times, ::times] == expected).all()


def test_epsilon_zero_changes_nothing(page) -> None:
    set_epsilon(page, 0)
    wait_for(page, "#verdict", "No change")
    clean, perturbed = slider_pictures(page)
    assert (clean == perturbed).all()


def test_the_downloaded_picture_has_the_claimed_label(page, classifier) -> None:
    set_epsilon(page, 16)
    wait_for(page, "#numbers", "16/255")
    with page.expect_download() as download:
        page.locator("#download-png").click()
    pixels = np.asarray(Image.open(download.value.path()))
    assert pixels.shape == (SIZE, SIZE, 3)
    assert classifier.labels[int(classifier(from_array(pixels)).argmax())] == after_label(page)
    assert np.abs(pixels.astype(int) - lion()).max() <= 16


def test_the_downloaded_pattern_is_the_applied_one(page) -> None:
    set_epsilon(page, 5)
    wait_for(page, "#numbers", "5/255")
    with page.expect_download() as download:
        page.locator("#download-npy").click()
    values = np.load(download.value.path(), allow_pickle=False)
    assert values.shape == (3, SIZE, SIZE)
    assert np.abs(values).max() == pytest.approx(5 / 255, abs=1e-6)


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


def test_another_photograph_by_click(page) -> None:
    page.locator("#gallery .thumbnail-item").nth(2).click()
    wait_for(page, "#photo-note", "Rachel Michetti")
    wait_for_photograph(page, np.asarray(square(SAMPLE_PHOTOS[2].open(), SIZE, SIZE)))


def upload(page, path: Path) -> None:
    if not page.locator("#upload input[type=file]").count():
        page.locator("#own-photo button").first.click()
    page.locator("#upload input[type=file]").set_input_files(path)


def test_uploads_good_and_bad(page, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("not a picture")
    upload(page, tmp_path / "good.png")
    wait_for(page, "#photo-note", "Your picture")
    expected = np.asarray(square(Image.fromarray(noise), SIZE, SIZE))
    wait_for_photograph(page, expected)

    page.locator("#upload button[aria-label='Remove Image']").click()
    upload(page, tmp_path / "bad.png")
    wait_for(page, "#photo-note", "not a picture that can be opened")
    wait_for_photograph(page, expected)  # the good picture stays


def test_own_pattern_good_and_bad(page, tmp_path: Path) -> None:
    np.save(tmp_path / "good.npy", np.full((3, SIZE, SIZE), 3 / 255, dtype=np.float32))
    np.save(tmp_path / "small.npy", np.zeros((3, 8, 8), dtype=np.float32))
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    page.locator("#own-pattern button").first.click()
    expected = {"objects.npy": "pickled objects", "small.npy": "made for 8 x 8", "good.npy": "Opened good"}
    for name, sentence in expected.items():
        page.locator("#pattern-file input[type=file]").set_input_files(tmp_path / name)
        wait_for(page, "#pattern-note", sentence)
        page.locator(
            "#pattern-file button[aria-label=Clear], #pattern-file button[aria-label='Remove this file']"
        ).first.click()
    wait_for(page, "#numbers", "3/255")


def test_epsilon_tab_streams_and_stops(page) -> None:
    page.get_by_role("tab", name="Epsilon").click()
    wait_for(page, "#sweep-status", "Precomputed on 2500")
    page.locator("#sweep-chart img").wait_for()
    page.locator("#photo-chart img").wait_for()
    page.locator("#sweep-run").click()
    wait_for(page, "#sweep-status", "Live: universal, epsilon")
    page.locator("#sweep-stop").click()
    wait_for(page, "#sweep-status", "Stopped|Live: 10 values")
    with page.expect_download() as download:
        page.locator("#photo-csv").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0].startswith("epsilon,clean_label")
    assert len(lines) == 11


def test_epsilon_tab_to_its_end(page) -> None:
    page.get_by_role("tab", name="Epsilon").click()
    page.locator("#sweep-run").click()
    wait_for(page, "#sweep-status", "Live: 10 values of epsilon measured", timeout=120_000)
    with page.expect_download() as download:
        page.locator("#sweep-csv").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert len(rows) == 30
    assert [float(row["fooling_rate"]) for row in rows if float(row["epsilon"]) == 0] == [0.0, 0.0, 0.0]


def test_training_images_tab_crafts_stops_and_offers_the_pattern(page) -> None:
    page.get_by_role("tab", name="Training images").click()
    wait_for(page, "#curve-note", "Precomputed")
    page.locator("#curve-stored img").wait_for()
    with page.expect_download() as download:
        page.locator("#curve-stored-csv").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert {row["crafted_on"] for row in rows} == {"photographs", "dreams", "photographs by DeepFool"}
    assert all(0 < float(row["held_out_rate"]) < 1 for row in rows)
    page.locator("#curve-run").click()
    wait_for(page, "#curve-status", "images: .* of the held-out images fooled", timeout=120_000)
    page.locator("#curve-stop").click()
    wait_for(page, "#curve-status", "Stopped")
    page.wait_for_timeout(3000)
    assert "Stopped" in page.locator("#curve-status").inner_text()  # and it stays stopped
    page.locator("#pattern input").click()
    assert page.get_by_role("option", name=re.compile("crafted on")).count() >= 1


def processor_seconds(pid: int) -> float:
    """What a process and its threads have used of the processor so far (fields 14 and 15 of proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time of another process is read from /proc")
def test_stopping_frees_the_processor_within_a_second(page, server_process: tuple[int, str]) -> None:
    pid = server_process[0]
    page.get_by_role("tab", name="Training images").click()
    page.locator("#curve-run").click()
    wait_for(page, "#curve-status", "Crafting on", timeout=120_000)
    before = processor_seconds(pid)
    time.sleep(1)
    assert processor_seconds(pid) - before > 0.4, "nothing was being crafted"
    page.locator("#curve-stop").click()
    time.sleep(1)
    stopped = processor_seconds(pid)
    time.sleep(2)
    assert processor_seconds(pid) - stopped < 0.5


def test_live_crafting_is_in_the_norm_of_the_chosen_pattern(page) -> None:
    page.locator("#pattern input").click()
    page.get_by_role("option", name=re.compile("l2 2000")).click()
    wait_for(page, "#pattern-note", "Fools")
    page.get_by_role("tab", name="Training images").click()
    page.locator("#curve-run").click()
    wait_for(page, "#curve-status", "images: .* of the held-out images fooled", timeout=120_000)
    page.locator("#curve-stop").click()
    wait_for(page, "#curve-status", "Stopped")
    page.wait_for_timeout(1000)
    page.locator("#pattern input").click()
    assert page.get_by_role("option", name=re.compile("crafted on 1 .*l2 2000")).count() == 1


def test_library_tab_shows_every_pattern_and_applies_one(page) -> None:
    page.get_by_role("tab", name="Library").click()
    page.locator("#library-gallery .thumbnail-item").nth(len(library()) - 1).wait_for()
    assert page.locator("#library-gallery .thumbnail-item").count() == len(library())
    place = next(i for i, entry in enumerate(library()) if entry.side == SIZE and entry.ball.p == "l2")
    page.locator("#library-gallery .thumbnail-item").nth(place).click()
    details = wait_for(page, "#library-details", "seed")
    assert library()[place].verdict in details
    assert "trained from scratch by this project" in details
    with page.expect_download() as download:
        page.locator("#library-file").click()
    assert Path(download.value.path()).read_bytes() == library()[place].path.read_bytes()
    page.locator("#library-use").click()
    page.locator("#apply").wait_for()
    wait_for(page, "#pattern-note", re.escape(library()[place].verdict[1:]))
    assert page.locator("#pattern input").input_value() == library()[place].name


def test_a_library_pattern_of_another_size_says_what_it_needs(page) -> None:
    page.get_by_role("tab", name="Library").click()
    place = next(i for i, entry in enumerate(library()) if entry.side == 224)
    page.locator("#library-gallery .thumbnail-item").nth(place).click()
    wait_for(page, "#library-details", "seed")
    page.locator("#library-use").click()
    assert "224 x 224" in wait_for(page, "#library-said", "takes 64 x 64")


def test_library_tab_tells_how_fast_methods_are_and_what_parts_are_worth(page) -> None:
    page.get_by_role("tab", name="Library").click()
    assert "whole pictures" in wait_for(page, "#library-ablations", "Each line is ours with one part changed, the last")
    page.locator("#library-convergence img").wait_for()
    page.locator("#library-samples img").wait_for()


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
    page.locator("#compare-chart img").wait_for()
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


def test_two_visitors_do_not_see_each_others_choices(page, browser, server: str) -> None:
    page.locator("#gallery .thumbnail-item").nth(2).click()
    wait_for(page, "#photo-note", "Rachel Michetti")
    other = browser.new_page(locale="en-US")
    other.goto(server)
    other.locator("#download-png").wait_for()
    shown = slider_pictures(other)[0]
    times = shown.shape[0] // SIZE
    assert (shown[::times, ::times] == lion()).all()
    other.close()


# Networks


def look_at(page, name: str) -> None:
    page.locator("#networks-which input").click()
    page.get_by_role("option", name=name, exact=True).click()


def test_networks_tab_lists_the_zoo_and_says_when_there_is_no_connection(page) -> None:
    page.get_by_role("tab", name="Networks").click()
    page.locator(".listing tr").nth(17).wait_for()
    rows = [row.split("\t") for row in page.locator(".listing tr").all_inner_texts()]
    kinds = ["ResNet-64", "ResNet-64, robust", "ResNet-64, universally trained", "Separable-64", "VGG-64"]
    assert [row[0] for row in rows][1:7] == [*(f"{kind} (embedded)" for kind in kinds), "Twin"]
    assert {"VGG-16", "ViT-B/16", "ResNet-152"} <= {row[0] for row in rows}
    assert rows[1][5] == "in memory"
    assert next(row for row in rows if row[0] == "VGG-16")[1:] == [
        *("224 px", "528 MB", "71.6%", "BSD-3-Clause (torchvision)", "not here")
    ]
    wait_for(page, "#networks-memory", "In memory: .*ResNet-64 .* of 1500 MB")
    look_at(page, "ResNet-50")
    wait_for(page, "#networks-details", r"Without a connection, save https://.*resnet50-0676ba61\.pth as")
    assert not page.locator("#networks-use").is_visible()
    page.locator("#networks-fetch").click()
    wait_for(page, "#networks-said", r"There is no connection to download\.pytorch\.org")
    page.locator("#networks-fetch").wait_for()
    page.locator("#pictures-fetch").click()
    wait_for(page, "#networks-pictures", r"There is no connection to s3\.amazonaws\.com")
    page.locator("#pictures-fetch").wait_for()
    assert not page.locator("#pictures-stop").is_visible()


def test_a_network_is_fetched_cancelled_fetched_again_and_used(page, models_folder: Path) -> None:
    page.get_by_role("tab", name="Networks").click()
    look_at(page, "Twin")
    page.locator("#networks-fetch").click()
    wait_for(page, "#networks-said", r"Twin: [1-3]\.\d of 4\.7 MB")
    page.get_by_role("tab", name="Library").click()
    page.get_by_role("tab", name="Networks").click()  # which looks at everything anew
    page.wait_for_timeout(700)
    assert not page.locator("#networks-fetch").is_visible()
    page.locator("#networks-stop").click()
    wait_for(page, "#networks-said", "Cancelled")
    page.wait_for_timeout(500)
    assert [path.name for path in models_folder.iterdir()] == ["twin.json"]
    page.locator("#networks-fetch").click()
    wait_for(page, "#networks-said", "Twin is here")
    page.locator("#networks-use").click()
    page.wait_for_function("document.querySelector('#network input').value == 'Twin, 64 px'")
    page.locator("#apply").wait_for()
    page.wait_for_timeout(5000)  # the verdict of the network before is there at once, Twin's when it is loaded
    wait_for(page, "#verdict", "Fooled|Not fooled")
    page.get_by_role("tab", name="Networks").click()
    wait_for(page, "#networks-memory", "In memory: .*Twin")


def test_a_foreign_pattern_is_read_and_can_be_read_otherwise(page, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    theirs = random.choice([-6, 6], (SIZE, SIZE, 3)).astype(np.float64)
    savemat(tmp_path / "theirs.mat", {"r": theirs})
    page.locator("#own-pattern button").first.click()
    page.locator("#pattern-file input[type=file]").set_input_files(tmp_path / "theirs.mat")
    wait_for(page, "#pattern-note", "Opened theirs: l_inf 6/255")
    page.locator("#reading").wait_for()
    assert page.locator("#reading input:checked").count() == 4
    assert page.get_by_label("for pixels from 0 to 255").is_checked()
    page.get_by_label("blue first").click()
    wait_for(page, "#pattern-note", "rows before columns, blue first")
    page.get_by_label("columns before rows").click()
    wait_for(page, "#pattern-note", "columns before rows, blue first")
    page.wait_for_timeout(1500)
    with page.expect_download() as download:
        page.locator("#download-npy").click()
    found = np.load(download.value.path())
    np.testing.assert_allclose(found * 255, theirs.transpose(2, 1, 0)[::-1], rtol=1e-5)
    page.get_by_label("for pixels from 0 to 1", exact=True).click()
    wait_for(page, "#pattern-note", "go up to 6: they cannot be meant for pixels from 0 to 1")


def test_the_catalogue_says_when_there_is_no_connection(page) -> None:
    page.get_by_role("tab", name="Library").click()
    wait_for(page, "#catalogue-note", "kenny-co/sgd-uap-torch, MIT")
    page.locator("#catalogue-fetch").click()
    wait_for(page, "#catalogue-note", r"There is no connection to raw\.githubusercontent\.com")
    page.locator("#catalogue-fetch").wait_for()


@pytest.mark.parametrize("tab", ["Apply", "Compare", "Transfer", "Why", "Defences", "Library", "Networks"])
def test_a_phone_scrolls_down_only(browser, server: str, tab: str) -> None:
    context = browser.new_context(locale="en-US", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(server)
    page.locator("#download-png").wait_for()
    if not page.get_by_role("tab", name=tab).is_visible():
        page.locator(".overflow-menu button").first.click()
    page.get_by_text(tab, exact=True).last.click()
    filled = {
        "Apply": "#verdict",
        "Compare": ".bouts",
        "Transfer": "#transfer-matrix .matrix",
        "Why": "#labels-chart img",
        "Defences": "#defences-table table",
        "Library": "#library-ablations .matrix",
        "Networks": ".listing",
    }
    page.locator(filled[tab]).first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()


def test_the_map_leads_to_tabs_that_are_filled_once_they_are_opened(page) -> None:
    def go(place: str) -> None:
        page.get_by_text("The attacks on one map").click()
        page.locator("#map").get_by_role("button", name=place, exact=True).first.click()
        page.get_by_role("tab", name=place, exact=True, selected=True).wait_for()

    go("Transfer")
    page.locator("#transfer-matrix .rate").first.wait_for()
    page.locator("#transfer-networks input:checked").nth(3).wait_for()
    assert "A': 16-32-64" in page.locator("#halves-stored").inner_text()
    go("Why")
    wait_for(page, "#labels-status", r"Precomputed.* labels become another one")
    for shown in ("#normals-chart img", "#directions-chart img", "#labels-chart img"):
        page.locator(shown).wait_for()
    go("Defences")
    page.locator("#defences-table tr").nth(6).wait_for()
    head, *rows = [row.split("\t") for row in page.locator("#defences-table tr").all_inner_texts()]
    assert head[2:4] == ["Fooled by the fixed pattern", "… by one crafted anew"]
    assert all("%" in row[2] and "%" in row[3] for row in rows)
    page.locator("#detector-chart img").wait_for()
    assert "Fooled by a new pattern" in wait_for(page, "#training-status", "Precomputed on 2500 images")
    page.locator("#rounds-chart img").wait_for()
    page.locator("#twins button").first.click()
    page.locator("#twins-chart img").wait_for()
    assert page.locator(".problem:visible").count() == 0
