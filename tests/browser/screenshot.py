"""Take README's pictures of the page: python tests/browser/screenshot.py ADDRESS assets"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

WIDTH = 1320
PATIENCE = 400_000  # milliseconds, for a run
SETTLED = 1500  # milliseconds, for a chart to be drawn


def opened(browser: Browser, address: str, height: int, theme: str, network: str = "") -> Page:
    """The page as a visitor finds it, complete; with another ``network`` than the first where one is named."""
    page = browser.new_page(viewport={"width": WIDTH, "height": height}, locale="en-US")
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}?__theme={theme}" + (f"&network={network}" if network else ""))
    page.locator("#download-png").wait_for()
    page.wait_for_function("() => window.uapFirst?.complete()")
    page.locator("#dots .dots").wait_for()
    page.wait_for_timeout(SETTLED)
    return page


def look(page: Page, tab: str, filled: str) -> None:
    """Open ``tab`` and wait until ``filled`` can be seen."""
    page.get_by_role("tab", name=tab, exact=True).click()
    page.locator(filled).wait_for()
    page.wait_for_timeout(SETTLED)


def run(page: Page, tab: str, word: str) -> None:
    """Press the button of ``tab`` and wait until its run is over."""
    look(page, tab, f"#{word}-run")
    page.locator(f"#{word}-run").click()
    page.locator(f"#{word}-stop").wait_for()
    page.locator(f"#{word}-stop").wait_for(state="hidden")
    page.locator(f"#{word}-run").wait_for()
    page.wait_for_timeout(SETTLED)


def keep(page: Page, path: Path) -> None:
    """What the window shows, in 256 colours: a quarter of the bytes, and nobody sees it."""
    taken = Image.open(io.BytesIO(page.screenshot()))
    taken.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    page.close()


def main(address: str, folder: Path) -> None:
    """All three."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = opened(browser, address, 900, "light", "resnet64")
        run(page, "Craft", "craft")
        keep(page, folder / "screenshot-craft.png")
        page = opened(browser, address, 1100, "dark", "resnet64")
        run(page, "Compare", "compare")
        keep(page, folder / "screenshot-compare.png")
        page = opened(browser, address, 1000, "light")
        look(page, "Transfer", "#transfer-cards .other >> nth=2")
        page.wait_for_timeout(10 * SETTLED)  # a card a network
        keep(page, folder / "screenshot-transfer.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
