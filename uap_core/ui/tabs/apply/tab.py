"""The tab Apply: the photograph without and with the pattern, and what the network says of both."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from uap_core.experiments.first_view import Opening
from uap_core.experiments.strengths import exhibit_of, picture_at
from uap_core.i18n import _
from uap_core.ui.html.lesson import next_line
from uap_core.ui.makers import USE_OWN, foreign, own_pattern
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.sidebar import Setup, check_level
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.apply import details
from uap_core.ui.tabs.apply.dots import dots_of, dots_place
from uap_core.ui.tabs.apply.lead import lead_of
from uap_core.ui.tabs.apply.view import WORDS, holder, looked, looked_at, payload, words
from uap_core.ui.widgets import QUICK, guarded

AHEAD = "ahead"  # the button of setup.turns that asks for the words at all strengths

SKELETON = """
<section class="first">
 <h2 class="sentence" role="status">{sentence}</h2>
 <p class="lead"></p>
 <div class="pair">
  <figure class="was">
   <div class="frame"><img alt="{before}"><span class="tag">{photograph}</span></div>
   <figcaption><b class="word"></b> <span class="sure"></span><div class="track"><div></div></div></figcaption>
  </figure>
  <figure class="now">
   <div class="frame"><canvas role="img" aria-label="{after}"></canvas><span class="tag"></span>
    <span class="inset" hidden><canvas></canvas><small>{gets}</small></span>
    <span class="tools"><button type="button" data-tool="hold" title="{hold_title}">{hold}</button>
     <button type="button" data-tool="ten" aria-pressed="false" title="{ten_title}">×10</button></span></div>
   <figcaption><b class="word"></b> <span class="sure"></span><div class="track"><div></div></div></figcaption>
  </figure>
 </div>
 <p class="foot"><span class="maker"></span></p>
</section>"""


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

    def apply(photo: str, network: str, pattern: str, own: dict[str, Pattern], epsilon: float) -> tuple[Any, ...]:
        now = looked_at(studio, photo, network, pattern, own)
        check_level(studio.perturbation(pattern, network, own).ball, epsilon)
        wanted = [("pattern", 0.0), ("pattern", float(epsilon)), ("noise", float(epsilon))]
        known = WORDS.of(studio, now, wanted)
        lead = lead_of(studio, network, pattern, own)
        sent = payload(photo, now, WORDS.kept(now) | known, lead, foreign(studio, network, pattern, own), epsilon)
        view = exhibit_of(studio.classifier(network), now.photo, picture_at(now.photo, now.change, epsilon))
        known_dots = holder(dots_of(studio, network, pattern))
        return "", holder(sent), known_dots, *details.filled(view, now, photo, epsilon, studio.card(network).name)

    outputs = [said, data, dots, *parts]
    first = [opening.photo, opening.network, opening.pattern, {}, _as_sent(opening.epsilon)] if opening else None
    keep_fresh(setup, tab, apply, setup.inputs, outputs, shown=first)

    def ahead(photo: str, network: str, pattern: str, own: dict[str, Pattern], epsilon: float) -> str:
        """The words at every strength, which the slider passes."""
        now = looked_at(studio, photo, network, pattern, own)
        wanted = [(mode, level) for mode in ("pattern", "noise") for level in now.levels()]
        known = WORDS.of(studio, now, wanted)
        return holder(now.as_words(words(now.card, known["pattern", 0.0], known)))

    setup.turn(AHEAD).click(guarded(1, 0)(ahead), setup.inputs, more, trigger_mode="always_last", **QUICK)

    def use_own(network: str, asked: tuple[str, int]) -> tuple[str, int]:
        return own_pattern(studio, network), asked[1] + 1

    setup.turn(USE_OWN).click(use_own, [setup.network, setup.asked], setup.asked, **QUICK)


def _as_sent(number: float) -> float:
    """As the page sends a number: whole ones without a point."""
    return int(number) if number == int(number) else number


def _opening_payload(opening: Opening, studio: Studio) -> str:
    now = looked(opening.view.clean, opening.scaled, studio.card(opening.network))
    WORDS.learn(now, opening.said)
    return payload(opening.photo, now, opening.said, lead_of(studio, opening.network, opening.pattern, {}), "", opening.epsilon)


def _skeleton() -> str:
    said = {
        "sentence": _("One moment…"),
        "before": _("The photograph without the pattern"),
        "after": _("The photograph with the pattern"),
        "photograph": _("Photograph"),
        "gets": _("what the network gets"),
        "hold": _("hold to compare"),
        "hold_title": _("While it is held down, the photograph without the pattern"),
        "ten_title": _("The pattern alone, ten times stronger, around mid-grey"),
    }
    return SKELETON.format(**{name: escape(text) for name, text in said.items()})
