"""The tab Apply: the photograph without and with the pattern, and what the network says of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.experiments.first_view import Opening
from uap_core.experiments.strengths import exhibit_of, picture_at
from uap_core.i18n import _
from uap_core.ui.html.lesson import next_line
from uap_core.ui.html.template import rendered
from uap_core.ui.makers import USE_OWN, foreign, own_pattern
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.selection import Selection, check_level, of_selection
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.apply import around, details
from uap_core.ui.tabs.apply.dots import dots_of, dots_place
from uap_core.ui.tabs.apply.lead import lead_of, leads_of
from uap_core.ui.tabs.apply.view import WORDS, holder, looked, looked_at, payload, words
from uap_core.ui.widgets import QUICK, SILENT, guarded

AHEAD = "ahead"  # the button of setup.turns that asks for the words at all strengths


def build(studio: Studio, setup: Setup, opening: Opening | None, tab: gr.Tab) -> None:
    """Lay out the tab; it is filled at once when the opening view is known."""
    said = gr.HTML(elem_id="apply-said")
    gr.HTML(_skeleton(), elem_id="first-view")
    data = gr.HTML(holder(_opening_payload(opening, studio)) if opening else "", elem_id="first-data", elem_classes="carried")
    more = gr.HTML(elem_id="first-words", elem_classes="carried")
    gr.HTML(dots_place(), elem_id="dots")
    known = dots_of(studio, opening.network, opening.pattern) if opening else ""
    dots = gr.HTML(holder(known) if known else "", elem_id="dots-data", elem_classes="carried")
    gr.HTML(next_line("epsilon", _("How strong must it be?")))
    parts = details.build(studio, opening)
    around.build(studio, setup)

    first = [opening.photo, opening.network, opening.pattern, {}, _as_sent(opening.epsilon)] if opening else None
    views = Views(studio)
    keep_fresh(setup, tab, views.apply, setup.inputs, {"said": said, "data": data, "dots": dots, **parts}, shown=first)
    asked = filling(views.ahead, {"more": more})
    setup.turn(AHEAD).click(asked, setup.inputs, more, trigger_mode="always_last", **QUICK)
    setup.turn(USE_OWN).click(guarded(1, SILENT)(views.use_own), [setup.network, setup.asked], setup.asked, **QUICK)


@dataclass(frozen=True)
class Views:
    """What the tab's events answer."""

    studio: Studio

    @of_selection
    def apply(self, chosen: Selection) -> dict[str, Any]:
        """The photograph under the pattern: data for the script, and the details."""
        studio, epsilon = self.studio, chosen.epsilon
        now = looked_at(studio, chosen)
        check_level(chosen.unscaled(studio).ball, epsilon)
        wanted = [("pattern", 0.0), ("pattern", float(epsilon)), ("noise", float(epsilon))]
        known = WORDS.of(studio, now, wanted)
        which = chosen.network, chosen.pattern, chosen.own
        leads = leads_of(studio, chosen.network, chosen.pattern)
        said = WORDS.kept(now) | known
        sent = payload(chosen.photo, now, said, lead_of(studio, *which), leads, foreign(studio, *which), chosen.epsilon)
        view = exhibit_of(studio.classifier(chosen.network), now.photo, picture_at(now.photo, now.change, epsilon))
        dots = holder(dots_of(studio, chosen.network, chosen.pattern))
        return {"said": "", "data": holder(sent), "dots": dots} | details.filled(view, now, chosen, self.studio)

    @of_selection
    def ahead(self, chosen: Selection) -> dict[str, Any]:
        """The words at every strength, which the slider passes."""
        now = looked_at(self.studio, chosen)
        wanted = [(mode, level) for mode in ("pattern", "noise") for level in now.levels()]
        known = WORDS.of(self.studio, now, wanted)
        return {"more": holder(now.as_words(words(now.card, known["pattern", 0.0], known)))}

    def use_own(self, network: str, asked: tuple[str, int]) -> tuple[str, int]:
        """The wish for the network's own pattern."""
        return own_pattern(self.studio, network), asked[1] + 1


def _as_sent(number: float) -> float:
    """As the page sends a number: whole ones without a point."""
    return int(number) if number == int(number) else number


def _opening_payload(opening: Opening, studio: Studio) -> str:
    now = looked(opening.view.clean, opening.scaled, studio.card(opening.network))
    WORDS.learn(now, opening.said)
    lead, leads = lead_of(studio, opening.network, opening.pattern, {}), leads_of(studio, opening.network, opening.pattern)
    return payload(opening.photo, now, opening.said, lead, leads, "", opening.epsilon)


def _skeleton() -> str:
    said = {
        "sentence": _("One moment…"),
        "before": _("The photograph without the pattern"),
        "after": _("The photograph with the pattern"),
        "photograph": _("Photograph"),
        "gets": _("what the network gets"),
        "hold": _("hold to compare"),
        "hold_short": _("hold"),
        "hold_title": _("While this or the picture is held down, the photograph without the pattern"),
        "ten_title": _("The pattern alone, ten times stronger, around mid-grey"),
    }
    return rendered("first_view", **said)
