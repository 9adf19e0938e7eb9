"""Take README's pictures of the page: python tests/browser/screenshot.py ADDRESS assets"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

WIDTH = 1320
PATIENCE = 180_000  # milliseconds, for a run


def opened(browser: Browser, address: str, height: int, theme: str) -> Page:
    """The page as a visitor finds it, complete."""
    page = browser.new_page(viewport={"width": WIDTH, "height": height}, locale="en-US")
    page.goto(f"{address}?__theme={theme}")
    page.locator("#download-png").wait_for()
    page.wait_for_timeout(2000)
    return page


def run(page: Page, tab: str, word: str) -> None:
    """Press the button of ``tab`` and wait until its run is over."""
    page.get_by_role("tab", name=tab, exact=True).click()
    page.wait_for_timeout(3000)
    page.locator(f"#{word}-run").click()
    page.locator(f"#{word}-status .meter").wait_for()
    page.locator(f"#{word}-status .meter").wait_for(state="detached", timeout=PATIENCE)
    page.wait_for_timeout(1500)


def keep(page: Page, path: Path) -> None:
    """What the window shows, in 256 colours: a quarter of the bytes, and nobody sees it."""
    taken = Image.open(io.BytesIO(page.screenshot()))
    taken.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    page.close()


def main(address: str, folder: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        keep(opened(browser, address, 960, "light"), folder / "screenshot.png")
        page = opened(browser, address, 1240, "light")
        run(page, "Craft", "craft")
        keep(page, folder / "screenshot-craft.png")
        page = opened(browser, address, 1560, "dark")
        run(page, "Compare", "compare")
        keep(page, folder / "screenshot-compare.png")
        page = opened(browser, address, 1100, "light")
        page.get_by_role("tab", name="Transfer", exact=True).click()
        page.wait_for_timeout(3000)
        keep(page, folder / "screenshot-transfer.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
