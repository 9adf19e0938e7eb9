"""The attacks on one map, above the tabs: what an attacker may know, for one picture or for all, and where each is shown."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from uap_core.texts import _
from uap_core.ui.widgets import QUICK

EXPLAIN = _(r"""
An attacker changes $x$ to $x'$ within $\|x' - x\|_p \le \varepsilon$ and never touches the weights. *Untargeted*: any other
answer will do, $k(x') \ne k(x)$. *Targeted*: it must be the class $t$, $k(x') = t$. *For one picture* the change is found anew
each time; *universal* means one $v$ for all of them, $x' = x + v$.
""")
BOXES = (
    (_("White box"), _("complete access: architecture, weights, gradients")),
    (_("Grey box"), _("partial information: another network, or other pictures, stand in for the real ones")),
    (_("Black box"), _("may only ask the network, and look at its answers")),
)
COLUMNS = (_("For one picture"), _("For all pictures at once"))


@dataclass(frozen=True)
class Place:
    """A stop on the map: at ``row`` and ``column``, what is shown there, and the ``tab`` that shows it."""

    row: int
    column: int
    text: str
    tab: str
    button: str


PLACES = (
    Place(
        0,
        0,
        _(
            "FGSM and its iterates, DeepFool, L-BFGS, penalties, Carlini & Wagner: to any other class, to one you name, or"
            " to the least likely."
        ),
        "compare",
        _("Compare"),
    ),
    Place(0, 1, _("One fixed pattern, found from a handful of pictures."), "apply", _("Apply")),
    Place(0, 1, _("Craft one yourself, and watch it come into being."), "craft", _("Craft")),
    Place(0, 1, _("How strong it must be."), "epsilon", _("Epsilon")),
    Place(0, 1, _("How many pictures it takes to find."), "samples", _("Training images")),
    Place(0, 1, _("Targeted patterns, and those of others."), "library", _("Library")),
    Place(
        1,
        0,
        _("Made on one network, shown to another; on networks that learned from other pictures."),
        "transfer",
        _("Transfer"),
    ),
    Place(1, 1, _("Patterns on networks that they never saw: who fools whom."), "transfer", _("Transfer")),
    Place(2, 0, _("Square: guesses, and keeps what the scores reward."), "compare", _("Compare")),
    Place(
        2,
        1,
        _("Random signs and noise know nothing: the measure of everything above. They stand in every chart."),
        "epsilon",
        _("Epsilon"),
    ),
)
BEYOND = (
    Place(3, 0, _("Why do such patterns exist?"), "why", _("Why")),
    Place(3, 0, _("What helps against them, and what only seems to?"), "defences", _("Defences")),
)


def build() -> tuple[gr.Accordion, list[tuple[gr.Button, Place]]]:
    """Lay the map out; ``wire`` connects its buttons once the tabs are there."""
    buttons = []
    with gr.Accordion(_("The attacks on one map"), open=False, elem_id="map") as box:
        gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")
        for row, (name, knows) in enumerate(BOXES):
            gr.HTML(f"<h2>{name}</h2><p>{knows}</p>", elem_classes="map-box")
            with gr.Row():
                for column, heading in enumerate(COLUMNS):
                    with gr.Column(min_width=280):
                        gr.HTML(f'<p class="map-column">{heading}</p>')
                        buttons += _stops([place for place in PLACES if (place.row, place.column) == (row, column)])
        beyond = _("Beyond the attacks")
        gr.HTML(f"<h2>{beyond}</h2>", elem_classes="map-box")
        buttons += _stops(BEYOND)
    return box, buttons


def wire(box: gr.Accordion, buttons: list[tuple[gr.Button, Place]], tabs: gr.Tabs) -> None:
    """Each button closes the map and opens its tab."""
    for button, place in buttons:
        button.click(lambda tab=place.tab: (gr.update(selected=tab), gr.update(open=False)), None, [tabs, box], **QUICK)


def _stops(places: list[Place] | tuple[Place, ...]) -> list[tuple[gr.Button, Place]]:
    made = []
    for place in places:
        with gr.Row(elem_classes="map-stop"):
            gr.HTML(place.text)
            made.append((gr.Button(place.button, size="sm", scale=0, min_width=130), place))
    return made
