"""What benches of clicks in a real browser share: a page that is open, and the table of waits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright


@contextmanager
def opened(address: str) -> Iterator[Any]:
    """A page at ``address``, when what is imported after the first view is there."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(address)
        page.locator("#download-png").wait_for()
        page.wait_for_timeout(5000)
        yield page
        browser.close()


def print_waits(found: dict[str, list[float]]) -> None:
    """Percentiles of each kind's milliseconds."""
    print("| what | number | 50 % | 95 % | longest, ms |\n|---|---|---|---|---|")
    for kind, values in found.items():
        middle, high = np.percentile(values, (50, 95))
        print(f"| {kind} | {len(values)} | {middle:.0f} | {high:.0f} | {max(values):.0f} |")
