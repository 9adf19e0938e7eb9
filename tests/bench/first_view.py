"""From the first answer of a new process to a complete first view in a new browser page. `python tests/bench/first_view.py`

Complete: both pictures, the words at every strength, the dots and the bars are there. The browser runs already, with
an empty cache. Needs Chromium, and Playwright from tests/requirements.txt.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PORT = 7991
ROUNDS = 5
COMPLETE = """() => {
  const pictures = [...document.querySelectorAll("#first-view .was img")];
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((part) => part.offsetHeight).length;
  return pictures.length && window.uapFirst?.complete() && pictures.every((picture) => picture.complete && picture.naturalWidth)
    && shown("#first-view .now .word") && shown("#dots .dots") && shown("#before .row") > 4 && shown("#after .row") > 4;
}"""


def answered() -> None:
    """Wait until the page is served."""
    while True:
        try:
            urlopen(f"http://127.0.0.1:{PORT}/", timeout=5).close()
            return
        except OSError:
            time.sleep(0.02)


def first_view(browser: Browser) -> dict[str, float]:
    """Seconds, requests and megabytes of one first view."""
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(PORT)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    context = browser.new_context(locale="en-US", viewport={"width": 1400, "height": 1000})
    try:
        page = context.new_page()
        answered()
        started = time.perf_counter()
        page.goto(f"http://127.0.0.1:{PORT}", wait_until="commit")
        page.locator("#header h1").wait_for()
        title = time.perf_counter() - started
        page.wait_for_function(COMPLETE, polling=20)
        complete = time.perf_counter() - started
        fetched = page.evaluate("performance.getEntriesByType('resource').map((part) => part.transferSize)")
        return {"title, s": title, "complete, s": complete, "requests": len(fetched), "megabytes": sum(fetched) / 1e6}
    finally:
        context.close()
        process.terminate()
        process.wait()


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        rounds = [first_view(browser) for _ in range(ROUNDS)]
        browser.close()
    print(f"| | {' | '.join(f'round {number + 1}' for number in range(ROUNDS))} | median |")
    print("|---" * (ROUNDS + 2) + "|")
    for name in rounds[0]:
        values = [one[name] for one in rounds]
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in (*values, statistics.median(values))) + " |")


if __name__ == "__main__":
    main()
