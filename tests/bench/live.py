"""How long the page's live views take on the embedded network, as a visitor sees it: `python tests/bench/live.py`.

Starts the app, presses each view's button in a browser that has seen nothing yet of it, and prints the seconds until the first
result stands there (a row, a cell, a point) and until the view is done. One view after another, each once.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
# Tab, and the first word of the view's elements: <word>-run is its button, <word>-status its line.
VIEWS = (
    ("Craft", "craft"),
    ("Epsilon", "sweep"),
    ("Training images", "curve"),
    ("Compare", "compare"),
    ("Transfer", "transfer"),
    ("Why", "normals"),
    ("Why", "directions"),
    ("Why", "labels"),
    ("Why", "lipschitz"),
    ("Defences", "defences"),
    ("Defences", "detector"),
)
# Tables and pictures that stand there, told apart by the ends of what they hold: the browser shall not steal the processor.
RESULTS = """() => [...document.querySelectorAll('[role=tabpanel] table, [role=tabpanel] img')]
    .filter(found => found.offsetParent).map(found => found.src || found.textContent)
    .map(held => `${held.length} ${held.slice(-60)}`)"""
PATIENCE = 300


def time_view(page: Page, word: str) -> tuple[float, float]:
    """Seconds from the click to the first table or picture that was not there before, and to the end of the progress meter."""
    page.locator(f"#{word}-run").scroll_into_view_if_needed()
    before = set(page.evaluate(RESULTS))
    page.locator(f"#{word}-run").click()
    started, first = time.perf_counter(), 0.0
    meter, begun = page.locator(f"#{word}-status .meter"), False
    while time.perf_counter() - started < PATIENCE:
        running = meter.count() > 0
        begun = begun or running
        if not first and not before.issuperset(page.evaluate(RESULTS)):
            first = time.perf_counter() - started
        if begun and not running:
            return first, time.perf_counter() - started
        page.wait_for_timeout(100)
    raise TimeoutError(f"{word} took more than {PATIENCE} seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--view", nargs="+", choices=[word for _, word in VIEWS], help="only these")
    wanted = parser.parse_args().view or [word for _, word in VIEWS]
    app = subprocess.Popen([sys.executable, "-u", "app.py"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert app.stdout is not None
        address = next(found.group() for line in app.stdout if (found := re.search(r"http://[\d.:]+", line)))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 1000}, locale="en-US")
            page.goto(address)
            page.locator("#download-png").wait_for(timeout=60_000)
            print("| tab, view | first result, s | done, s |\n|---|---|---|")
            for tab, word in VIEWS:
                if word in wanted:
                    page.get_by_role("tab", name=tab, exact=True).click()
                    page.wait_for_timeout(3000)  # what the tab shows of itself comes first
                    first, done = time_view(page, word)
                    print(f"| {tab}, {word} | {first:.1f} | {done:.1f} |", flush=True)
            browser.close()
    finally:
        app.terminate()


if __name__ == "__main__":
    main()
