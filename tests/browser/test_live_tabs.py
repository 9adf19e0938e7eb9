"""The tabs Epsilon and Training images in a real browser: live runs stream, stop and end."""

from __future__ import annotations

import csv
import io
import os
import re
import time
from pathlib import Path

import pytest
from first_view import run_anew, wait_for


def visible(page, *names: str) -> list[str]:
    return [name for name in names if page.locator(f"#{name}").is_visible()]


def test_epsilon_tab_streams_and_stops(page) -> None:
    buttons = ("sweep-run", "sweep-stop", "sweep-clear")
    page.get_by_role("tab", name="Epsilon").click()
    wait_for(page, "#sweep-status", "Precomputed on 2500")
    page.locator("#sweep-chart figure").wait_for()
    wait_for(page, "#sweep-run", r"about \d+ s")
    assert visible(page, *buttons) == ["sweep-run"]
    page.locator("#sweep-run").click()
    wait_for(page, "#sweep-status", r"Live: universal, strength \d+: \d+ of 30")
    assert visible(page, *buttons) == ["sweep-stop"]
    page.locator("#sweep-stop").click()
    wait_for(page, "#sweep-status", "Stopped|Live: 11 strengths")
    page.locator("#sweep-chart [data-live]").wait_for()
    page.locator("#sweep-clear").wait_for()
    assert visible(page, *buttons) == ["sweep-run", "sweep-clear"]
    page.locator("#sweep-clear").click()
    page.locator("#sweep-chart figure:not([data-live])").wait_for()
    wait_for(page, "#sweep-status", "Precomputed on 2500")
    page.locator("#sweep-clear").wait_for(state="hidden")
    assert visible(page, *buttons) == ["sweep-run"]
    page.locator("#sweep-more button").first.click()
    with page.expect_download() as download:
        page.locator("#photo-csv").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0].startswith("epsilon,clean_label")
    assert len(lines) == 14


@pytest.mark.goes_on
def test_epsilon_tab_to_its_end(page) -> None:
    run_anew(page, "sweep")
    left = r"about (\d+) s left"
    first = int(re.findall(left, wait_for(page, "#sweep-status", left))[0])
    wait_for(page, "#sweep-status", "|".join(rf"about {number} s left" for number in range(1, first)) or "Live: 11")
    wait_for(page, "#sweep-status", "Live: 11 strengths measured", timeout=120_000)
    with page.expect_download() as download:
        page.locator("#sweep-live-csv").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert len(rows) == 33
    assert [float(row["fooling_rate"]) for row in rows if float(row["epsilon"]) == 0] == [0.0, 0.0, 0.0]


@pytest.mark.goes_on
def test_training_images_tab_crafts_stops_and_offers_the_pattern(page) -> None:
    page.get_by_role("tab", name="Training images").click()
    wait_for(page, "#curve-note", "Precomputed")
    page.locator("#curve-stored figure").wait_for()
    wait_for(page, "#curve-run", r"about \d+ (s|min)")
    page.locator("#curve-more button").first.click()
    page.locator("#curve-methods figure").wait_for()
    with page.expect_download() as download:
        page.locator("#curve-stored-csv").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert {row["crafted_on"] for row in rows} == {"photographs", "dreams", "photographs by DeepFool"}
    assert all(0 < float(row["held_out_rate"]) < 1 for row in rows)
    page.locator("#curve-run").click()
    wait_for(page, "#curve-status", "images: .* of the other images fooled", timeout=120_000)
    page.locator("#curve-stop").click()
    wait_for(page, "#curve-status", "Stopped")
    page.wait_for_timeout(800)
    assert "Stopped" in page.locator("#curve-status").inner_text()  # and it stays stopped
    page.locator("#curve-stored [data-live]").wait_for()
    page.locator("#curve-clear").wait_for()
    assert visible(page, "curve-run", "curve-stop", "curve-clear") == ["curve-run", "curve-clear"]
    page.locator("#pattern input").click()
    assert page.get_by_role("option", name=re.compile("Made here from")).count() >= 1


def processor_seconds(pid: int) -> float:
    """What a process and its threads have used of the processor so far (fields 14 and 15 of proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time of another process is read from /proc")
@pytest.mark.goes_on
def test_stopping_frees_the_processor_within_a_second(page, server_process: tuple[int, str]) -> None:
    pid = server_process[0]
    page.get_by_role("tab", name="Training images").click()
    page.locator("#curve-run").click()
    wait_for(page, "#curve-status", "Crafting on", timeout=120_000)
    before, since = processor_seconds(pid), time.monotonic()
    while processor_seconds(pid) - before < 0.4:
        assert time.monotonic() - since < 20, "nothing was being crafted"
        time.sleep(0.1)
    page.locator("#curve-stop").click()
    time.sleep(1)
    stopped = processor_seconds(pid)
    time.sleep(1)
    assert processor_seconds(pid) - stopped < 0.3


@pytest.mark.goes_on
def test_live_crafting_is_in_the_norm_of_the_chosen_pattern(page) -> None:
    page.locator("#pattern input").click()
    page.get_by_role("option", name=re.compile(r"length 2000 \(l2\)")).click()
    wait_for(page, "#pattern-note", "Fools")
    page.get_by_role("tab", name="Training images").click()
    page.locator("#curve-run").click()
    wait_for(page, "#curve-status", "images: .* of the other images fooled", timeout=120_000)
    page.locator("#curve-stop").click()
    wait_for(page, "#curve-status", "Stopped")
    page.locator("#pattern input").click()
    assert page.get_by_role("option", name=re.compile(r"Made here from 1 .*length 2000 \(l2\)")).count() == 1
