"""The same attack on the network and on its adversarially trained variant: how much longer must the change be?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.attacks.menu import HELD, TARGET, attack_name
from uap_core.i18n import _
from uap_core.models.robust_variants import ROBUST, twin_key
from uap_core.models.weights import HERE, state
from uap_core.ui.html.tables import head, line, wide
from uap_core.ui.html.words import plain
from uap_core.ui.runtime.run import run_row
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.compare.handlers import bout_of
from uap_core.ui.widgets import progress_note, status

if TYPE_CHECKING:
    from uap_core.experiments.compare import Contender

KEYS = ("deepfool", "lbfgs", "carlini-wagner")
SECONDS = (15.0, 90.0)
QUESTION = _("""
#### The same attack on the adversarially trained variant
The same photograph and the same goal on two networks of one architecture, one of which was trained on attacked pictures. The
length of the smallest change that fools is its *distortion*: training on attacks makes it longer, not infinite.
""")
USUAL = _("the same strength for all"), _("quick")


@dataclass(frozen=True)
class Views:
    """What the view's events answer."""

    studio: Studio

    def why_not(self, network: str) -> str:
        """Why there is nothing to compare with, in a sentence; empty where there is."""
        cards = self.studio.zoo.cards()
        card = cards.get(twin_key(network, ROBUST))
        if card is not None and state(card) == HERE:
            return ""
        return _("No variant of {network} trained on attacks is here; ResNet-64 has one.").format(
            network=plain(self.studio.card(network).name)
        )

    @of_selection
    def measure(self, chosen: Selection, goal: str, target: str | None) -> Iterator[dict[str, Any]]:
        """The attacks on one network after the other, and how the lengths compare."""
        from uap_core.experiments.compare import compare

        yield {"said": progress_note(_("Opening the networks…"), 0)}
        keys, found = (chosen.network, twin_key(chosen.network, ROBUST)), list[list[Contender]]()
        pace, names = Pace(), [plain(self.studio.card(key).name) for key in keys]
        for key in keys:
            classifier, image = self.studio.classifier(key), self.studio.image(chosen.photo, key)
            wanted = classifier.index_of(target) if target and goal == TARGET else None
            found.append([])
            for row in compare(classifier, image, chosen.perturbation(self.studio), KEYS, bout_of(goal, wanted, *USUAL)):
                if row.done:
                    found[-1].append(row)
                    note = pace.note(sum(map(len, found)), 2 * len(KEYS), attack_name(row.key))
                    yield {"said": note, "table": table(names, found)}
        yield {"said": status(told(names, found))}


def table(names: Sequence[str], found: Sequence[Sequence[Contender]]) -> str:
    """A line an attack: what each network is fooled into, at which length, and how many times as long the second one is."""
    lines = [
        line(escape(attack_name(first.key)), (_cell(first), _cell(second) if second else "…", _times(first, second)))
        for first, second in _pairs(found)
    ]
    heads = head((_("Attack"), *names, _("Times as long")))
    return wide(_("The same attack on both networks"), f"<table>{heads}{''.join(lines)}</table>")


def told(names: Sequence[str], found: Sequence[Sequence[Contender]]) -> str:
    """By how much the variant needs more, in a sentence."""
    ratios = [second.l2 / first.l2 for first, second in _pairs(found) if second and _both_fool(first, second)]
    if not ratios:
        return _("No attack fooled both networks, so there is nothing to compare.")
    said = _("On this photograph {robust} takes {least:.1f} to {most:.1f} times the change that fools {network}.")
    return said.format(robust=names[1], network=names[0], least=min(ratios), most=max(ratios))


def _pairs(found: Sequence[Sequence[Contender]]) -> list[tuple[Contender, Contender | None]]:
    others = {row.key: row for row in found[1]} if len(found) > 1 else {}
    return [(row, others.get(row.key)) for row in found[0]]


def _both_fool(first: Contender, second: Contender) -> bool:
    return HELD not in (first.verdict, second.verdict) and first.l2 > 0 and second.l2 > 0


def _cell(row: Contender) -> str:
    if row.verdict == HELD:
        return escape(_("held"))
    return f"{row.l2 * 255:.0f}<small>{escape(row.label)}</small>"


def _times(first: Contender, second: Contender | None) -> str:
    return f"{second.l2 / first.l2:.1f}" if second and _both_fool(first, second) else ""


def build(studio: Studio, setup: Setup, fold: gr.Accordion, goal: gr.Radio, target: gr.Dropdown) -> None:
    """Lay out the view inside the fold that calls it, and wire it; it aims as the tab does."""
    views = Views(studio)
    gr.Markdown(QUESTION, elem_classes="explain")
    run = run_row(studio, setup, fold, "twin", _("Attack both ({time})"), SECONDS, views.why_not)
    places = {"said": gr.HTML(elem_id="twin-status"), "table": gr.HTML(elem_id="twin-table")}
    run.wire(views.measure, [*setup.inputs, goal, target], places, _("Stopped. What was found so far stays."))
