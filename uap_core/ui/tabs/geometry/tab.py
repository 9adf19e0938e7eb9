"""The room Beyond pictures: three domains, of which one is shown at a time, each filled when it is first looked at."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.geometry import clouds, graphs, shapes
from uap_core.ui.tabs.geometry.stage import Part
from uap_core.ui.uploads import is_among
from uap_core.ui.widgets import QUICK, saying

TITLE = _("Is it only pictures?")
ANSWER = _(
    "No. Links to a few fixed nodes change the class of most nodes of a graph, a few added points that of most point clouds,"
    " and one change of the vibrations that of most shapes."
)
BRIDGE = _(
    "The universal pattern is one change for all pictures. Here it is the same question for other data: one change for all"
    " nodes, all clouds, all shapes."
)
EXPLAIN = _(r"""
**Graphs.** A two-layer graph convolutional network (Kipf and Welling, 2017), $Z = \hat P\,\mathrm{relu}(\hat P X
W_1)\,W_2$. Every flip is scored by its exact effect on the node. One is refused where it takes a node's last neighbour, or
where a likelihood-ratio test could tell the degree distribution from the old one (Zügner et al., KDD 2018); a word, where
it hardly ever stands with those that the node has. Anchors (Zang et al., IJCAI 2021) are all of one class: whoever is of
that class keeps it, so with seven classes no more than 6/7 can change.

**Point clouds.** Ten solids, random in proportions, pose and noise; a PointNet (Qi et al., 2017) hears only the points that
hold the maximum of one of its features. Changes made for one cloud follow Xiang et al. (CVPR 2019). A field moves the same
place the same way in every cloud; added points stay in the ball of radius 1. Removal of outliers takes points far from
their four nearest neighbours.

**Shapes.** Closed meshes of eight four-legged animals, made from bones: proportions and poses vary. The network sees twenty
eigenvalues of the cotangent Laplacian (Shape-DNA, Reuter et al., 2006), so nothing of turn or place. After Rampini et al.
(CVPR 2021) one vector $\rho$ is shared by all, $\lambda \mapsto (1+\rho)\lambda$; each shape is deformed in its own first
twenty eigenvectors until its spectrum shows that, by $\mathrm{d}\lambda = \phi^\top(\mathrm{d}L -
\lambda\,\mathrm{d}M)\,\phi$. The paper attacks networks that see places (a PointNet and a mesh network) on other animals
(SMAL); that is harder than a network that sees the spectrum itself, so these rates say nothing about the paper's.
""")
GRAPHS, CLOUDS, SHAPES = "graphs", "clouds", "shapes"


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the room and wire it."""
    gr.HTML(lesson(TITLE, ANSWER), elem_id="geo-lesson")
    gr.HTML(f'<p class="explain">{escape(BRIDGE)}</p>')
    choices = [(_("Graphs"), GRAPHS), (_("Point clouds"), CLOUDS), (_("Deformable shapes"), SHAPES)]
    domain = gr.Radio(
        choices, value=GRAPHS, label=_("Show"), show_label=False, container=False, interactive=True, elem_id="geo-domain"
    )
    parts = {GRAPHS: graphs.build(studio.line), CLOUDS: clouds.build(setup), SHAPES: shapes.build(studio.line, setup)}
    filled = gr.State([])
    with gr.Accordion(_("For researchers"), open=False, elem_id="geo-more"):
        gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")
    gr.HTML(next_line("words", _("What do the words mean?")))
    _wire(setup, tab, domain, filled, parts)


def _wire(setup: Setup, tab: gr.Tab, domain: gr.Radio, filled: gr.State, parts: dict[str, Part]) -> None:
    """A domain's column is shown when it is chosen, and filled the first time."""
    columns = [part.column for part in parts.values()]

    def turn(chosen: str) -> tuple[Any, ...]:
        return tuple(gr.update(visible=key == chosen) for key in parts)

    domain.input(turn, domain, columns, **QUICK)
    outputs = [*(place for part in parts.values() for place in part.shown), filled]

    def look(chosen: str, done: list[str]) -> dict[Any, Any]:
        if not is_among(chosen, parts) or chosen in done:
            return {filled: gr.skip()}
        part = parts[chosen]
        found: dict[Any, Any] = saying(part.said)(part.first)()
        return {**found, filled: [*done, chosen]} if len(found) > 1 else found

    look.__name__ = "look_domain"
    for event in (domain.input, setup.turn_of(tab).click):
        event(look, [domain, filled], outputs, trigger_mode="always_last", **QUICK)
