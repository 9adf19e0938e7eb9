"""Graphs: pick a node, see the flips that change its class; then the anchors that work for any node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.errors import SettingError
from uap_core.i18n import N_, _
from uap_core.ui.html.tables import wide
from uap_core.ui.runtime.run_queue import Line
from uap_core.ui.tabs.geometry.figures import targets
from uap_core.ui.tabs.geometry.graph_view import Named, attack_html, flips_html, verdict
from uap_core.ui.tabs.geometry.rates import anchors_chart
from uap_core.ui.tabs.geometry.stage import Part, alone, stage, uploaded
from uap_core.ui.tabs.geometry.working import Work
from uap_core.ui.uploads import path_of
from uap_core.ui.widgets import QUICK, awaited, saying, status

if TYPE_CHECKING:
    from uap_core.geometric.files.edges import OwnGraph
    from uap_core.geometric.graphs.stored import Stored

CLUB, BLOCK, OWN = "club", "block", "own"
EDGES, NEIGHBOURS, WORDS, ANCHORS = "direct", "influencers", "words", "anchors"
BUDGET = 10
FIRST = 16  # member 17 of the club
LARGE = 3000  # nodes, from which flips at a node's neighbours take longer than a click should
SIDES = (N_("Mr. Hi's side"), N_("the officer's side"))
MEANT = _(
    "Margin: how far the score of a node's answer is ahead of the next one's; below 0 the answer has changed. Degrees: how"
    " many links each node has. Likelihood ratio: a test of whether the degrees still look like those of the old graph; the"
    " larger, the easier a change is noticed. Anchors: a few fixed nodes, to which any node is linked to change its class."
)
NOT_HERE = {
    WORDS: N_("These nodes have no words to flip: choose the graph with 2 400 nodes."),
    ANCHORS: N_("Anchors were sought for the graph with 2 400 nodes: choose it."),
}


@dataclass(frozen=True)
class Places:
    """The view's components: choices, what is shown, and what is remembered."""

    which: gr.Radio
    kind: gr.Radio
    said: gr.HTML
    work_row: gr.Row
    drawn: gr.HTML
    another: gr.Button
    listed: gr.HTML
    chart: gr.HTML
    own: gr.File
    node: gr.State
    mine: gr.State

    def shown(self) -> list[Any]:
        """What every answer fills."""
        return [self.said, self.drawn, self.listed, self.node]


def build(line: Line) -> Part:
    """Lay out and wire the view. Nothing is computed before it is looked at."""
    with gr.Column(elem_id="geo-graphs") as column:
        at = _lay_out()
    work = Work(line, [*at.shown(), at.mine, at.which, at.kind], "geo-graph-stop")
    with at.work_row:
        work.laid_out()
    views = Views(at, work)
    says = saying(at.said)
    at.which.input(says(views.change_graph), [at.which, at.kind, at.mine], at.shown(), **QUICK)
    at.kind.input(says(alone(views.look)), [at.which, at.kind, at.node, at.mine], at.shown(), **QUICK)
    at.drawn.click(says(views.pick), [at.which, at.kind, at.mine], at.shown(), **QUICK)
    at.another.click(says(views.other), [at.which, at.kind, at.node, at.mine], at.shown(), **QUICK)
    work.wire(at.own.upload, views.read_graph, [at.own, at.kind])
    return Part(column, at.said, [*at.shown(), at.chart], views.first)


def _lay_out() -> Places:
    with gr.Row():
        which = gr.Radio(_graphs(), value=CLUB, label=_("Graph"), interactive=True, elem_id="geo-graph")
        kind = gr.Radio(_kinds(), value=EDGES, label=_("What is flipped"), interactive=True, elem_id="geo-flips")
    said = gr.HTML(awaited(), elem_id="geo-graph-said")
    work_row = gr.Row(elem_classes="run-row")
    drawn = stage("geo-graph-stage")
    another = gr.Button(_("Attack another node"), size="sm", elem_id="geo-another", scale=0, min_width=200)
    listed = gr.HTML(elem_id="geo-flip-list")
    gr.HTML(f'<p class="explain">{escape(MEANT)}</p>')
    chart = gr.HTML(elem_id="geo-anchors", elem_classes="chart")
    with gr.Accordion(_("Your own list of edges"), open=False, elem_id="geo-own-graph"):
        own = gr.File(label=_("Two names a line (.txt, .csv), at most 20 000 nodes"), height=120, elem_id="geo-edges")
    return Places(which, kind, said, work_row, drawn, another, listed, chart, own, gr.State(FIRST), gr.State(None))


@dataclass(frozen=True)
class Views:
    """What the view's events answer."""

    at: Places
    work: Work

    def look(self, which: str, flips: str, asked: int, given: Any) -> dict[Any, Any]:
        """A node under attack."""
        stored, named = opened(which, given)
        chosen = asked if 0 <= asked < len(named.nodes) else FIRST if which == CLUB else victims(stored)[0]
        sentence, picture, table = attacked(stored, named, flips, chosen, which, given[2] if which == OWN else "")
        return {self.at.said: sentence, self.at.drawn: picture, self.at.listed: table, self.at.node: chosen}

    def first(self) -> dict[Any, Any]:
        """What stands here when the view is opened."""
        rates = anchors_chart() + wide(_("Attacks on one node"), targets())
        return {**alone(self.look)(CLUB, EDGES, FIRST, None), self.at.chart: rates}

    def pick(self, which: str, flips: str, given: Any, event: gr.EventData) -> dict[Any, Any]:
        """The node that was pressed."""
        asked = event._data.get("node") if isinstance(event._data, dict) else None
        return alone(self.look)(which, flips, asked if isinstance(asked, int) else -1, given)

    def other(self, which: str, flips: str, now: int, given: Any) -> dict[Any, Any]:
        """The next victim."""
        order = victims(opened(which, given)[0])
        following = order[(order.index(now) + 1) % len(order)] if now in order else order[0]
        return alone(self.look)(which, flips, following, given)

    def change_graph(self, which: str, flips: str, given: Any) -> dict[Any, Any]:
        """Another graph."""
        return alone(self.look)(which, flips, -1, given)

    def read_graph(self, file: dict[str, Any] | None, flips: str) -> Iterator[Any]:
        """The graph of a file, once a network has learned it; a large one waits its turn."""
        found = own_edges(path_of(file) or "")
        if len(found.names) > LARGE:
            yield from self.work.in_turn(self._taught(found, EDGES))
        else:
            yield from self._taught(found, flips if flips in (EDGES, NEIGHBOURS) else EDGES)

    def _taught(self, found: OwnGraph, flips: str) -> Iterator[dict[Any, Any]]:
        from uap_core.geometric.graphs.own import learning_own

        words = _("Teaching a network two groups of {count} nodes").format(count=len(found.names))
        for part in self.work.counted(learning_own(found.graph, 0), words):
            if isinstance(part, dict):
                yield part
            else:
                given = (part, found.names, left_out(found))
                filled = alone(self.look)(OWN, flips, -1, given)
                yield {**filled, self.at.mine: given, self.at.which: OWN, self.at.kind: flips}


def _graphs() -> list[tuple[str, str]]:
    return [(_("Karate club, 34 members"), CLUB), (_("Made by a model, 2 400 nodes"), BLOCK), (_("Your own"), OWN)]


def _kinds() -> list[tuple[str, str]]:
    return [
        (_("its own edges"), EDGES),
        (_("its neighbours' edges"), NEIGHBOURS),
        (_("its words"), WORDS),
        (_("eight anchors, the same for every node"), ANCHORS),
    ]


def opened(which: str, mine: Any) -> tuple[Stored, Named]:
    """The graph that was chosen, with names for its nodes and classes."""
    from uap_core.geometric.graphs.stored import block, club

    if which == CLUB:
        return club(), Named([str(i + 1) for i in range(34)], [_(side) for side in SIDES])
    if which == BLOCK:
        stored = block()
        classes = [_("class {letter}").format(letter="ABCDEFG"[k]) for k in range(7)]
        return stored, Named([str(i) for i in range(len(stored.nodes.classes))], classes)
    if mine is None:
        raise SettingError(_("Open a list of edges below: two names a line."))
    return mine[0], Named(mine[1], [_("group 1"), _("group 2")])


def victims(stored: Stored) -> list[int]:
    """Nodes to attack in turn: those that the network gets right untold, or all, where there are none."""
    return stored.held_out().tolist() or list(range(len(stored.nodes.classes)))


def attacked(stored: Stored, named: Named, kind: str, node: int, which: str, more: str = "") -> tuple[str, str, str]:
    """Sentence, picture and list of flips for one node; ``more`` is said, too."""
    from uap_core.geometric.graphs.anchored import anchored
    from uap_core.geometric.graphs.targeted import attack_node

    if kind not in (EDGES, NEIGHBOURS, WORDS, ANCHORS):
        raise SettingError(_("There is no such flip; choose one of the list."))
    words = stored.nodes.words if stored.nodes.words.shape[1] else None
    if (kind == WORDS and words is None) or (kind == ANCHORS and not len(stored.anchors)):
        raise SettingError(_(NOT_HERE[kind]))
    if kind == NEIGHBOURS and len(stored.nodes.graph) > LARGE:
        raise SettingError(_("Flips at the neighbours take too long in a graph of this size: choose the node's own edges."))
    found = (
        anchored(stored.seen, node, stored.anchors) if kind == ANCHORS else attack_node(stored.seen, node, kind, BUDGET, words)
    )
    note = _(" The network was told this node's class.") if node in stored.nodes.known and which != OWN else ""
    if kind == ANCHORS and not found.fooled and stored.predicted[stored.anchors[0]] == found.label:
        note += _(" The anchors are of its own class.")
    return status(verdict(found, named, BUDGET) + note + more), attack_html(stored, named, found), flips_html(found, named)


def own_edges(path: str) -> OwnGraph:
    """A visitor's list of edges. Raises DatasetError for a file that is none."""
    from uap_core.geometric.files.edges import open_edges

    return open_edges(uploaded(path))


def left_out(found: OwnGraph) -> str:
    """What the network was taught about a visitor's graph, and what was left out of it, in sentences."""
    said = [_(" The network was taught two groups that the edges alone suggest.")]
    if found.loops:
        said.append(_(" {count} edges from a node to itself were left out.").format(count=found.loops))
    if found.repeated:
        said.append(_(" {count} edges were there already, in this direction or the other.").format(count=found.repeated))
    if found.more:
        said.append(_(" Directions, weights and further columns are not used."))
    if found.pieces > 1:
        said.append(_(" Of {count} separate pieces the largest is shown.").format(count=found.pieces))
    return "".join(said)
