"""The attacks on one map, above the tabs: what an attacker may know, for one picture or for all, and where each is shown."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from uap_core.ui.widgets import QUICK

EXPLAIN = r"""
An attacker changes $x$ to $x'$ within $\|x' - x\|_p \le \varepsilon$ and never touches the weights. *Untargeted*: any other
answer will do, $k(x') \ne k(x)$. *Targeted*: it must be the class $t$, $k(x') = t$. *For one picture* the change is found anew
each time; *universal* means one $v$ for all of them, $x' = x + v$.
"""
BOXES = (
    ("White box", "complete access: architecture, weights, gradients"),
    ("Grey box", "partial information: another network, or other pictures, stand in for the real ones"),
    ("Black box", "may only ask the network, and look at its answers"),
)
COLUMNS = ("For one picture", "For all pictures at once")


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
        "FGSM and its iterates, DeepFool, L-BFGS, penalties, Carlini & Wagner: to any other class, to one you name, or to the"
        " least likely.",
        "compare",
        "Compare",
    ),
    Place(0, 1, "One fixed pattern, found from a handful of pictures.", "apply", "Apply"),
    Place(0, 1, "Craft one yourself, and watch it come into being.", "craft", "Craft"),
    Place(0, 1, "How strong it must be.", "epsilon", "Epsilon"),
    Place(0, 1, "How many pictures it takes to find.", "samples", "Training images"),
    Place(0, 1, "Targeted patterns, and those of others.", "library", "Library"),
    Place(1, 0, "Made on one network, shown to another; on networks that learned from other pictures.", "transfer", "Transfer"),
    Place(1, 1, "Patterns on networks that they never saw: who fools whom.", "transfer", "Transfer"),
    Place(2, 0, "Square: guesses, and keeps what the scores reward.", "compare", "Compare"),
    Place(
        2,
        1,
        "Random signs and noise know nothing: the measure of everything above. They stand in every chart.",
        "epsilon",
        "Epsilon",
    ),
)
BEYOND = (
    Place(3, 0, "Why do such patterns exist?", "why", "Why"),
    Place(3, 0, "What helps against them, and what only seems to?", "defences", "Defences"),
)


def build() -> tuple[gr.Accordion, list[tuple[gr.Button, Place]]]:
    """Lay the map out; ``wire`` connects its buttons once the tabs are there."""
    buttons = []
    with gr.Accordion("The attacks on one map", open=False, elem_id="map") as box:
        gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")
        for row, (name, knows) in enumerate(BOXES):
            gr.HTML(f"<h2>{name}</h2><p>{knows}</p>", elem_classes="map-box")
            with gr.Row():
                for column, heading in enumerate(COLUMNS):
                    with gr.Column(min_width=280):
                        gr.HTML(f'<p class="map-column">{heading}</p>')
                        buttons += _stops([place for place in PLACES if (place.row, place.column) == (row, column)])
        gr.HTML("<h2>Beyond the attacks</h2>", elem_classes="map-box")
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
