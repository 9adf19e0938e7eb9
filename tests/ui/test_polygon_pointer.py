"""Where a press on the generator's polygon lands, in the page's own script; its drawing is not square (polygon.py)."""

from __future__ import annotations

import re

from in_node import in_node

from uap_core.ui.tabs.games import polygon

PAGE = """
const places = [[0, 0], [0, 1], [0, -1], [0.8, 0.6], [-0.8, 0.6]].map(([x, y]) => ({ x, y, fooled: 0.9, into: [1], mix: [1] }));
const heard = {}, made = () => ({
  setAttribute() {}, getAttribute: () => "", addEventListener() {}, setPointerCapture() {}, style: {},
  classList: { add() {}, toggle() {} },
});
const [left, top, width, height] = VIEW;
const stage = { ...made(), viewBox: { baseVal: { x: left, y: top, width, height } },
  addEventListener: (name, handler) => { heard[name] = handler; },
  getBoundingClientRect: () => ({ left: 30, top: 40, width: 2 * width, height: 2 * height }) };
const sent = { start: 0, places, labels: ["a"], said: "", file: "", noise: [], stress: 1, signs: true };
const root = { ...made(), dataset: { sent: JSON.stringify(sent) }, querySelectorAll: () => [],
  querySelector: (wanted) => (wanted.includes("stage") ? stage : made()) };
globalThis.uapMaker = () => new Promise(() => {});
const place = globalThis.uapPolygonRoom(root, () => {});
const landed = places.map(({ x, y }) => {
  heard.pointerdown({ clientX: 30 + 2 * (150 + 105 * x - left), clientY: 40 + 2 * (150 + 105 * y - top), preventDefault() {} });
  return place();
});
tell(landed);
process.exit();
"""


def test_a_press_lands_where_it_was_made() -> None:
    source = polygon.__file__
    with open(source, encoding="utf-8") as file:
        (view,) = re.findall(r'data-polygon="stage" viewBox="([^"]*)"', file.read())
    box = "[" + ", ".join(view.split()) + "]"
    assert in_node(PAGE.replace("VIEW", box), "polygon") == [0, 1, 2, 3, 4]
