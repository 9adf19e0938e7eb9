"""The room Beyond pictures: what its views say and draw, and what visitors' files come to."""

from __future__ import annotations

import json
import math
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.utils import get_upload_folder
from tab_pages import by_id, handlers_of, page_of

from uap_core.geometric.graphs.stored import club
from uap_core.ui.tabs.geometry import clouds, graphs, shape_view, shapes, tab


@pytest.fixture(scope="module")
def page() -> gr.Blocks:
    return page_of(tab.build)


@pytest.fixture(scope="module")
def handlers(page: gr.Blocks) -> dict[str, Any]:
    return handlers_of(page)


def view_of(html: str) -> dict[str, Any]:
    """What the page's script is sent."""
    return json.loads(unescape(re.search(r'data-view="([^"]*)"', html)[1]))  # type: ignore[index]


@pytest.fixture
def upload(tmp_path: Path):
    def put(name: str, content: str) -> str:
        folder = Path(get_upload_folder()) / tmp_path.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
        return str(folder / name)

    return put


def test_a_domain_is_filled_once_and_only_when_it_is_looked_at(handlers: dict[str, Any]) -> None:
    first = by_id(handlers["look_domain"]("graphs", []))
    assert "2 flips turn 17" in first["geo-graph-said"]
    assert "74%" in first["geo-anchors"] or "fooling rate" in first["geo-anchors"]
    assert first["state"] == ["graphs"]
    for chosen, done in (("graphs", ["graphs"]), ("nonsense", [])):
        assert set(by_id(handlers["look_domain"](chosen, done))) == {"state"}


def test_a_picked_member_is_attacked_and_drawn(handlers: dict[str, Any]) -> None:
    answer = by_id(handlers["pick"]("club", "direct", None, SimpleNamespace(_data={"node": 10})))
    view = view_of(answer["geo-graph-stage"])
    assert view["ids"][view["target"]] == 10
    assert len(view["nodes"]) == 34
    assert len(view["edges"]) == 78
    assert view["steps"][-1]["kind"] != view["kinds"][view["target"]]
    assert "refused" in answer["geo-flip-list"]
    for asked in (-5, 99, "x", None):
        assert (
            "flip" in by_id(handlers["pick"]("club", "direct", None, SimpleNamespace(_data={"node": asked})))["geo-graph-said"]
        )


def test_what_a_graph_has_not_is_a_sentence(handlers: dict[str, Any]) -> None:
    assert "choose" in by_id(handlers["change_graph"]("club", "words", None))["geo-graph-said"]
    assert "Open a list" in by_id(handlers["change_graph"]("own", "direct", None))["geo-graph-said"]


def test_the_flips_drawn_are_what_the_network_answers_to() -> None:
    stored, named = graphs.opened("club", None)
    view = view_of(graphs.attacked(stored, named, "direct", 19, "club")[1])
    seen = club().seen
    for step in view["steps"]:
        seen = seen.flipped(view["ids"][step["a"]], view["ids"][step["b"]])
        assert int(seen.logits()[19].argmax()) == step["kind"]


def test_eight_points_are_added_and_outliers_are_removed() -> None:
    said, html = clouds.changed(clouds.cloud_of("ring", 0), "added 8", False, 0)
    view = view_of(html)
    assert "8 points added" in said
    assert len(view["after"]) - len(view["before"]) == 24
    assert view["after"][: len(view["before"])] == view["before"]
    said, html = clouds.changed(clouds.cloud_of("ring", 0), "added 8", True, 0)
    assert "outliers were removed" in said
    assert any(view_of(html)["removed"])


def test_a_shape_shows_what_was_asked_of_its_spectrum() -> None:
    said, html = shape_view.changed(shape_view.animal_of("horse", 0), "universal", 0)
    view = view_of(html)
    assert len(view["before"]) == len(view["after"]) == len(view["moved"]) * 3
    assert len(view["values"]["shown"]) == len(view["values"]["asked"]) == 20
    assert "of the radius" in said
    after = re.findall(r'<b data-fooled="(\w+)">(\w+)</b>', html)
    assert (after[0][1] != after[1][1]) == (after[1][0] == "yes")


def test_own_files_are_opened_or_told(handlers: dict[str, Any], upload: Any) -> None:
    ring = upload("ring.txt", "\n".join(f"n{i} n{(i + d) % 20}" for i in range(20) for d in (1, 2)))
    steps = list(handlers["read_graph"]({"path": ring}, "direct"))
    assert all("Teaching a network" in step[0] for step in steps[:-1])
    assert "flip" in steps[-1][0]
    assert "groups that the edges alone suggest" in steps[-1][0]
    assert "numbers should stand" in next(handlers["read_mesh"]({"path": upload("bad.obj", "v a b c")}, "universal"))[0]
    for opened in (graphs.own_edges, shape_view.own_mesh, clouds.own_cloud):
        with pytest.raises(Exception, match="not here"):
            opened("/etc/passwd")


def torus(long: int, short: int) -> str:
    """An OBJ file of as many quads as vertices."""
    places = [(2 * math.pi * i / long, 2 * math.pi * j / short) for i in range(long) for j in range(short)]
    lines = [
        f"v {(2 + math.cos(b)) * math.cos(a)} {(2 + 0.7 * math.cos(b)) * math.sin(a)} {0.8 * math.sin(b)}" for a, b in places
    ]
    for i in range(long):
        corners = [(i, 0), (i + 1, 0), (i + 1, 1), (i, 1)]
        lines += ["f " + " ".join(str(a % long * short + (b + j) % short + 1) for a, b in corners) for j in range(short)]
    return "\n".join(lines)


def press(page: gr.Blocks, elem_id: str) -> None:
    """A click on a button, by the visitor of ``handlers_of``."""
    for event in page.fns.values():
        if event.fn and any(getattr(page.blocks.get(target), "elem_id", None) == elem_id for target, _name in event.targets):
            event.fn(gr.Request(session_hash="visitor"))


def test_a_large_mesh_tells_how_far_it_is_and_ends_on_stop(
    page: gr.Blocks, handlers: dict[str, Any], upload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "LARGE", 50)
    mesh = upload("ball.obj", torus(12, 10))
    steps = list(handlers["read_mesh"]({"path": mesh}, "universal"))
    assert "Eigenvalues of 120 vertices" in steps[0][0]
    assert all('class="meter"' in step[0] for step in steps[1:-1])
    assert "of the radius" in steps[-1][0]
    given = next(value for value in steps[-1] if isinstance(value, tuple))
    asked = by_id(handlers["look"]("own", "own", 0, given, 0))
    assert "One moment" in asked["geo-shape-said"], "a change of it is such work, too"
    stopped = []
    for step in handlers["large"]("universal", 0, given):
        stopped.append(step[0])
        press(page, "geo-shape-stop")
    assert "Stopped" in stopped[-1]


def test_unknown_choices_are_sentences() -> None:
    for call in (
        lambda: clouds.cloud_of("teapot", 0),
        lambda: clouds.changed(clouds.cloud_of("ball", 0), "nonsense", False, 0),
        lambda: shape_view.animal_of("whale", 0),
        lambda: shape_view.changed(shape_view.animal_of("cat", 0), "nonsense", 0),
    ):
        with pytest.raises(Exception, match="choose one of the list"):
            call()
