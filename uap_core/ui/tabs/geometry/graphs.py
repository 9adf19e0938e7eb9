"""Graphs: pick a node, see the flips that change its class; then the anchors that work for any node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.errors import SettingError
from uap_core.i18n import N_, _
from uap_core.ui.html.tables import wide
from uap_core.ui.tabs.geometry.figures import targets
from uap_core.ui.tabs.geometry.graph_view import Named, attack_html, flips_html, verdict
from uap_core.ui.tabs.geometry.rates import anchors_chart
from uap_core.ui.tabs.geometry.stage import WAIT, Part, stage, uploaded
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
NOT_HERE = {
    WORDS: N_("These nodes have no words to flip: choose the graph with 2 400 nodes."),
    ANCHORS: N_("Anchors were sought for the graph with 2 400 nodes: choose it."),
}


def build() -> Part:
    """Lay out and wire the view. Nothing is computed before it is looked at."""
    node, mine = gr.State(FIRST), gr.State(None)
    with gr.Column(elem_id="geo-graphs") as column:
        with gr.Row():
            which = gr.Radio(_graphs(), value=CLUB, label=_("Graph"), interactive=True, elem_id="geo-graph")
            kind = gr.Radio(_kinds(), value=EDGES, label=_("What is flipped"), interactive=True, elem_id="geo-flips")
        said = gr.HTML(awaited(), elem_id="geo-graph-said")
        drawn = stage("geo-graph-stage")
        another = gr.Button(_("Attack another node"), size="sm", elem_id="geo-another", scale=0, min_width=200)
        listed = gr.HTML(elem_id="geo-flip-list")
        chart = gr.HTML(elem_id="geo-anchors", elem_classes="chart")
        with gr.Accordion(_("Your own list of edges"), open=False, elem_id="geo-own-graph"):
            own = gr.File(label=_("Two names a line (.txt, .csv), at most 20 000 nodes"), height=120, elem_id="geo-edges")

    def look(which: str, kind: str, asked: int, given: Any) -> dict[Any, Any]:
        stored, named = opened(which, given)
        chosen = asked if 0 <= asked < len(named.nodes) else FIRST if which == CLUB else int(stored.held_out()[0])
        sentence, picture, table = attacked(stored, named, kind, chosen, which)
        return {said: sentence, drawn: picture, listed: table, node: chosen}

    def first() -> dict[Any, Any]:
        return {**look(CLUB, EDGES, FIRST, None), chart: anchors_chart() + wide(_("Attacks on one node"), targets())}

    def pick(which: str, kind: str, given: Any, event: gr.EventData) -> dict[Any, Any]:
        asked = event._data.get("node") if isinstance(event._data, dict) else None
        return look(which, kind, asked if isinstance(asked, int) else -1, given)

    def other(which: str, kind: str, now: int, given: Any) -> dict[Any, Any]:
        order = opened(which, given)[0].held_out().tolist()
        return look(which, kind, order[(order.index(now) + 1) % len(order)] if now in order else order[0], given)

    def change_graph(which: str, kind: str, given: Any) -> dict[Any, Any]:
        return look(which, kind, -1, given)

    def read(path: str | None, kind: str) -> dict[Any, Any]:
        found = own_graph(path or "")
        return {**look(OWN, kind if kind in (EDGES, NEIGHBOURS) else EDGES, -1, found), mine: found, which: OWN}

    shown = [said, drawn, listed, node]
    which.input(saying(said)(change_graph), [which, kind, mine], shown, **QUICK)
    kind.input(saying(said)(look), [which, kind, node, mine], shown, **QUICK)
    drawn.click(saying(said)(pick), [which, kind, mine], shown, **QUICK)
    another.click(saying(said)(other), [which, kind, node, mine], shown, **QUICK)
    own.upload(**WAIT, outputs=said)
    own.upload(saying(said)(read), [own, kind], [*shown, mine, which], **QUICK)
    return Part(column, said, [*shown, chart], first)


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
    stored, names = mine
    return stored, Named(names, [_("group 1"), _("group 2")])


def attacked(stored: Stored, named: Named, kind: str, node: int, which: str) -> tuple[str, str, str]:
    """Sentence, picture and list of flips for one node."""
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
    return status(verdict(found, named, BUDGET) + note), attack_html(stored, named, found), flips_html(found, named)


def own_graph(path: str) -> tuple[Stored, list[str]]:
    """A visitor's list of edges with a network of its own."""
    from uap_core.geometric.files.edges import open_edges
    from uap_core.geometric.graphs.own import own_network

    found: OwnGraph = open_edges(uploaded(path))
    return own_network(found.graph, 0), found.names
