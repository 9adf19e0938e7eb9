"""Make README's moving picture: python tests/browser/moving_picture.py ADDRESS assets/first-view.webp

The slider is dragged on the first photograph until the network's word changes, then two other photographs take its place.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

WIDTH, HEIGHT, SHOWN = 1100, 760, 760  # pixels of the window, and of the picture's width
STEP, REST, LOOK = 90, 1100, 1900  # milliseconds that a frame stays: under way, before and after, at the end of a scene
MOST = 1_500_000  # bytes
OTHERS = ("espresso", "cat")


def frame(page: Page) -> Image.Image:
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return taken.resize((SHOWN, SHOWN * taken.height // taken.width), Image.Resampling.LANCZOS)


def dragged(page: Page, target: float) -> Iterator[float]:
    """The slider pulled by the mouse, level by level."""
    place = page.locator("#epsilon input[type=range]").bounding_box()
    assert place is not None
    across, height = place["width"] - 16, place["y"] + place["height"] / 2
    page.mouse.move(place["x"] + 8, height)
    page.mouse.down()
    for step in range(int(2 * target) + 1):
        page.mouse.move(place["x"] + 8 + across * step / 2 / 32, height)
        page.wait_for_timeout(60)
        yield step / 2
    page.mouse.up()


def scenes(page: Page) -> Iterator[tuple[Image.Image, int]]:
    """Frames, and how long each stays."""
    yield frame(page), REST
    for level in dragged(page, 10):
        yield frame(page), STEP if level else REST
    page.wait_for_timeout(400)
    yield frame(page), LOOK
    for photo in OTHERS:
        page.locator(f"#strip [data-photo='sample:{photo}']").click()
        page.wait_for_function(
            "photo => document.querySelector(`#strip [data-photo='sample:${photo}'][aria-pressed=true]`)", arg=photo
        )
        page.wait_for_timeout(2500)
        yield frame(page), LOOK


def main(address: str, path: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, locale="en-US")
        page.goto(f"{address}?__theme=light&eps=0")
        page.wait_for_function("() => window.uapFirst?.complete()", timeout=180_000)
        page.wait_for_timeout(3000)
        images, stays = zip(*scenes(page), strict=True)
        browser.close()
    for quality in (80, 65, 50, 35):
        images[0].save(path, save_all=True, append_images=images[1:], duration=list(stays), loop=0, quality=quality, method=6)
        if path.stat().st_size <= MOST:
            print(f"{len(images)} frames, {path.stat().st_size / 1e6:.2f} MB, quality {quality}")
            return
    raise SystemExit(f"{path} has {path.stat().st_size} bytes, more than {MOST}.")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
