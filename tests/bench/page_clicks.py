"""Clicks in a real page: how long until what they change is seen. `python tests/bench/page_clicks.py --network resnet64`

Photographs and strengths in turn on one network, in headless Chromium. A click has been answered when the picture
under the pattern is another one. Needs Chromium, and Playwright from tests/requirements.txt.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "hostile")]

from in_page import opened, print_waits
from running import running

from uap_core.images.photographs import sample_photos
from uap_core.models.zoo import PAGE_MODEL

# Milliseconds from ``act`` to the next change of the picture after the pattern.
SEEN = """async (act) => {
  const picture = () => uapFirst.shown().toDataURL(), before = picture();
  const started = performance.now();
  eval(act);
  while (picture() === before) await new Promise(requestAnimationFrame);
  return performance.now() - started;
}"""
PHOTO = """document.querySelectorAll("#strip [data-photo]")[{place} - 1].click()"""
STRENGTH = """uapFirst.set({level}, true)"""


def timed(page: Page, clicks: int, photographs: int) -> dict[str, list[float]]:
    """Milliseconds of each click, by its kind."""
    found: dict[str, list[float]] = {"photograph": [], "strength": []}
    for number in range(clicks):
        kind = ("photograph", "strength")[number % 2]
        act = (
            PHOTO.format(place=1 + (number // 2 + 1) % photographs)
            if number % 2 == 0
            else STRENGTH.format(level=5 + number % 7)
        )
        found[kind].append(page.evaluate(SEEN, act))
        page.wait_for_timeout(700)  # the address follows
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=100)
    parser.add_argument("--network", default=PAGE_MODEL, help="key of the network that is asked")
    chosen = parser.parse_args()
    with running() as app, opened(f"{app.address}/?network={chosen.network}") as page:
        photographs = len(sample_photos())
        timed(page, 2 * photographs, photographs)
        found = timed(page, chosen.clicks, photographs)
    found["all"] = [value for values in found.values() for value in values]
    print_waits(found)


if __name__ == "__main__":
    main()
