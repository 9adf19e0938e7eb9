"""Beyond pictures in a browser: canvases are drawn, turned without the server, and a click on a node attacks it."""

from __future__ import annotations

from quick_page import open_tab

INK = """selector => {
  const canvas = document.querySelector(selector);
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + data[i] + data[i + 1] + data[i + 2] + data[i + 3]) % 1000003;
  return sum;
}"""
WHERE = """() => {
  const root = document.querySelector('#geo-graph-stage [data-geo]'), view = JSON.parse(root.dataset.view);
  const box = root.querySelector('canvas').getBoundingClientRect(), i = view.ids.indexOf(10), [x, y] = view.nodes[i];
  return [box.left + 22 + x * (box.width - 44), box.top + 22 + y * (box.height - 44)];
}"""


def test_a_click_on_a_member_attacks_it_and_solids_turn_without_the_server(page) -> None:
    open_tab(page, "Beyond pictures")
    page.locator("#geo-graph-said", has_text="turn 17").wait_for()
    canvas = "#geo-graph-stage canvas"
    page.locator(canvas).scroll_into_view_if_needed()
    page.wait_for_function(f"({INK})('{canvas}') !== 0")
    page.mouse.click(*page.evaluate(WHERE))
    page.locator("#geo-graph-said", has_text="11 from").wait_for()
    page.locator("#geo-domain input[value=clouds]").click()
    solid = "#geo-cloud-stage canvas"
    page.locator(solid).first.wait_for()
    page.locator(solid).first.scroll_into_view_if_needed()
    page.wait_for_function(f"({INK})('{solid}') !== 0")
    before, asked = page.evaluate(INK, solid), []
    page.on("request", lambda request: asked.append(request.url))
    box = page.locator(solid).first.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 90, steps=5)
    page.mouse.up()
    page.wait_for_function(f"({INK})('{solid}') !== {before}")
    assert not [url for url in asked if "queue/join" in url]
