"""The attacks on one map, in the Lab: what an attacker may know, for one picture or for all, and where each is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from uap_core.i18n import _
from uap_core.ui.html.lesson import lesson

ANSWER = _("Attacks differ in what the attacker knows, and in whether the change is made for one picture or for all at once.")
EXPLAIN = _(r"""
An attacker changes $x$ to $x'$ within $\|x' - x\|_p \le \varepsilon$ and never touches the weights. *Untargeted*: any other
answer will do, $k(x') \ne k(x)$. *Targeted*: it must be the class $t$, $k(x') = t$. *For one picture* the change is found anew
each time; *universal* means one $v$ for all of them, $x' = x + v$.
""")
BOXES = (
    (_("White box"), _("complete access: architecture, weights, gradients")),
    (
        _("Grey box"),
        _(
            "partial information: the architecture, or the features alone, or another network or other pictures that stand in"
            " for the real ones"
        ),
    ),
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
            "FGSM, I-FGSM, PGD, MI-FGSM, DeepFool, L-BFGS, Carlini & Wagner: to any other class, to one you name, or"
            " to the least likely."
        ),
        "compare",
        _("Compare"),
    ),
    Place(0, 1, _("One fixed pattern, found once from some pictures, and added to all others."), "apply", _("Apply")),
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
    Place(
        1,
        0,
        _("The architecture is known, its weights are not: A and A' learnt from two halves, across training sets."),
        "transfer",
        _("Transfer"),
    ),
    Place(1, 1, _("Patterns on networks that they never saw: who fools whom."), "transfer", _("Transfer")),
    Place(1, 1, _("SV-UAP looks at the features of one hidden layer, and at no label."), "craft", _("Craft")),
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


def build() -> None:
    """Lay the map out, in one piece of HTML: a component for each button would make the whole page slower to open."""
    gr.HTML(lesson(_("Which attack is which, and what do the words mean?"), ANSWER))
    gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")
    gr.HTML(_map(), elem_id="map")


def _map() -> str:
    boxes = [
        _box(name, knows, [_stops(heading, row, column) for column, heading in enumerate(COLUMNS)])
        for row, (name, knows) in enumerate(BOXES)
    ]
    return "".join([*boxes, _box(_("Beyond the attacks"), "", [_list(BEYOND)])])


def _box(name: str, knows: str, columns: list[str]) -> str:
    cells = "".join(f"<div>{column}</div>" for column in columns)
    return f'<section class="map-box"><div><h2>{escape(name)}</h2><p>{escape(knows)}</p></div>{cells}</section>'


def _stops(heading: str, row: int, column: int) -> str:
    return f"<h3>{escape(heading)}</h3>" + _list([place for place in PLACES if (place.row, place.column) == (row, column)])


def _list(places: Sequence[Place]) -> str:
    def line(place: Place) -> str:
        button = f'<button type="button" data-go="{place.tab}">{escape(place.button)}</button>'
        return f"<li>{button}<span>{escape(place.text)}</span></li>"

    return f"<ul>{''.join(map(line, places))}</ul>"
