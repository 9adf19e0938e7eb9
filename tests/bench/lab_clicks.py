"""Steps and clicks in two rooms of the Lab, in a real page: `python tests/bench/lab_clicks.py --clicks 100`

"From learning to attacking" computes in the page: a step counts from the click to the picture that shows it, and is to take
less than 100 ms at the 95th percentile. "Beyond pictures" asks the server: an answer counts until it is drawn, and is to take
less than 2 s; while solids are turned, frames count, and questions to the server, of which there are to be none. Needs
Chromium, and Playwright from tests/requirements.txt.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from playwright.sync_api import Page, Request

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "hostile")]

from in_page import opened, print_waits
from running import running

STEP = """async (button) => {
  const started = performance.now();
  document.querySelector(`.learning [data-do="${button}"]`).click();
  await new Promise(requestAnimationFrame);  // drawn with it
  return performance.now() - started;
}"""
STEPS = ("learn 10", "attack 1", "learn 100", "attack 10")
ANSWER = """async ([stage, press]) => {
  const view = () => document.querySelector(`${stage} [data-geo]`)?.dataset.view ?? "", before = view();
  const started = performance.now();
  document.querySelector(press).click();
  while (view() === before && performance.now() - started < 60000) await new Promise(requestAnimationFrame);
  return performance.now() - started;
}"""
DOMAINS = {  # name: its stage, the button for another, and choices that are made first
    "graphs": ("#geo-graph-stage", "#geo-another", "#geo-graph input[value=block]"),
    "clouds": ("#geo-cloud-stage", "#geo-new-cloud", ""),
    "shapes": ("#geo-shape-stage", "#geo-new-shape", ""),
}
FRAMES = """() => {
  window.uapFrames = [];
  let last = performance.now();
  const next = () => { const now = performance.now(); uapFrames.push(now - last); last = now; requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""


def learning(page: Page, clicks: int) -> dict[str, list[float]]:
    """Milliseconds of each kind of step."""
    page.evaluate("document.querySelector('#go-learning').click()")
    page.wait_for_selector(".learning [data-weight]")
    found: dict[str, list[float]] = {step: [] for step in STEPS}
    for number in range(clicks):
        step = STEPS[number % len(STEPS)]
        found[step].append(page.evaluate(STEP, step))
        page.evaluate(STEP, "back")
    return found


def beyond(page: Page, clicks: int) -> dict[str, list[float]]:
    """Milliseconds until another node, cloud or body is drawn, and between frames while solids are turned."""
    page.evaluate("document.querySelector('#go-geometry').click()")
    found = {}
    for name, (stage, another, choice) in DOMAINS.items():
        page.click(f"#geo-domain input[value={name}]")
        page.locator(f"{stage} [data-geo]").wait_for()
        if choice:
            page.evaluate(ANSWER, [stage, choice])
        found[name] = [page.evaluate(ANSWER, [stage, another]) for _ in range(clicks)]
    asked: list[str] = []

    def hear(request: Request) -> None:
        asked.extend([request.url] if "queue/join" in request.url else [])

    page.on("request", hear)
    solid = page.locator("#geo-shape-stage canvas.solid").first
    solid.scroll_into_view_if_needed()
    box = solid.bounding_box()
    assert box
    page.evaluate(FRAMES)
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(box["x"] + 40 + 3 * step, box["y"] + 40 + step)
    page.mouse.up()
    found[f"frames of a drag, {len(asked)} questions to the server"] = page.evaluate("uapFrames")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=100)
    chosen = parser.parse_args()
    with running() as app, opened(f"{app.address}/?network=resnet64") as page:
        found = {**learning(page, chosen.clicks), **beyond(page, max(3, chosen.clicks // 5))}
    print(f"Load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print_waits(found)


if __name__ == "__main__":
    main()
