"""Take README's picture of the page: python tests/browser/screenshot.py ADDRESS assets/screenshot.png"""

from __future__ import annotations

import shutil
import sys

from playwright.sync_api import sync_playwright


def main(address: str, path: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1320, "height": 960}, locale="en-US")
        page.goto(address)
        page.locator("#download-png").wait_for()
        page.wait_for_timeout(2000)
        page.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
