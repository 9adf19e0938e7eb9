"""The tab Library: layout and wiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.errors import PerturbationError
from uap_core.i18n import _
from uap_core.perturbations.library import Entry, library
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.html.picks import pick_list, picked_key, show_on_phones
from uap_core.ui.html.words import plain
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.selection import Scene, own_level
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.library import catalogue, methods
from uap_core.ui.tabs.library.gallery import answer, details, gallery, taker_of
from uap_core.ui.widgets import QUICK, awaited, download, offer, show, status

TITLE = _("Which patterns are there?")
OPENING = _("Each picture shows one, ten times stronger, around mid-grey.")
EXPLAIN = _(r"""
Each picture shows a pattern 10 times stronger, around mid-grey ($\ell_2$ patterns are larger in few places). *By DeepFool*
is the method of Moosavi-Dezfooli et al. (2017) in batches, *by activations* and *by singular vectors* are made without
pictures, after PSP-UAP and IntriUAP (both 2025), the others are by this project’s method. *All but* one were
crafted on three of four networks, *all kinds but* one on four of five, moving the perturbed pictures about; the one that
they are named after they never saw, and fool it all the same: such patterns are **doubly universal**, across images and
across networks (who fools whom stands under *Transfer*). *All four* and *all seven* were crafted on those networks
together. Every figure was measured on images that crafting never saw, and is precomputed; last stand the patterns of
networks that are not here, and each says where its network can be had. They, too, can be applied: to the chosen network, or
to one that takes pictures of their size. The curves show runs planned for 2 000 image-gradients, looked at on the way: what
a run planned for fewer would have reached is a little higher than its curve at that place.
""")


@dataclass(frozen=True)
class Views:
    """What the tab's events answer."""

    studio: Studio

    def fill(self, looked_at: str, network: str) -> dict[str, Any]:
        """Sentence and pictures; what is told of a pattern that was looked at stays."""
        invitation = gr.skip() if looked_at else status(_("Click on a pattern to see where it comes from."))
        told = lesson(TITLE, answer(self.studio, network))
        return {"lesson": told, "patterns": gallery(self.studio, looked_at, network), "about": invitation}

    def choose(self, network: str, event: gr.EventData) -> dict[str, Any]:
        """The pattern that was clicked: its key, what is known of it, the buttons. Raises PerturbationError if it is gone."""
        entry = _entry(picked_key(event))
        taker = taker_of(self.studio, entry, network)
        use = gr.update(visible=bool(taker), value=self._apply_to(taker))
        file = show(offer(entry.key, entry.path.read_bytes()))
        return {"said": "", "chosen": entry.key, "about": details(self.studio, entry), "use": use, "file": file}

    def apply(self, key: str, network: str, photo: str, asked: tuple[str, int], staged: tuple[Any, int]) -> dict[str, Any]:
        """Onto the chosen network if the pattern fits it, else onto one that is here, with the same photograph."""
        entry = _entry(key)
        taker = taker_of(self.studio, entry, network)
        if taker == network:
            return {"said": "", "asked": (key, asked[1] + 1), "tabs": gr.update(selected="apply")}
        if not taker:
            sentence = _("No network of {side} x {side} pixels is here. Fetch one under Networks, or install the requirements.")
            return {"said": status(sentence.format(side=entry.side))}
        scene = Scene(photo, taker, key, own_level(entry.ball))
        return {"said": "", "staged": (scene, staged[1] + 1), "tabs": gr.update(selected="apply")}

    def _apply_to(self, taker: str) -> str:
        return _("Apply it to {network}").format(network=plain(self.studio.card(taker).name)) if taker else ""


def _entry(key: str) -> Entry:
    found = next((entry for entry in library() if entry.key == key), None)
    if found is None:
        raise PerturbationError(_("This pattern is no longer there. Choose another one."))
    return found


def build(studio: Studio, setup: Setup, tabs: gr.Tabs, tab: gr.Tab) -> None:
    """Lay out the tab and wire it; its pictures are made when it is first opened."""
    views = Views(studio)
    told = gr.HTML(lesson(TITLE, OPENING), elem_id="library-lesson")
    with gr.Row(equal_height=False):
        with gr.Column(scale=7, min_width=340):
            patterns = pick_list("library-gallery")
        with gr.Column(scale=4, min_width=300, elem_id="library-side"):
            about = gr.HTML(awaited(), elem_id="library-details")
            use = gr.Button(_("Apply it"), variant="primary", visible=False, elem_id="library-use")
            file = download(_("Pattern (.safetensors)"), "library-file")
            said = gr.HTML(elem_id="library-said")
    with gr.Accordion(_("Published by others: fetch one"), open=False, elem_id="library-others"):
        fetching = catalogue.build(setup, tab)
    with gr.Accordion(_("For researchers"), open=False, elem_id="library-more"):
        methods.build(studio, setup, tab)
        gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")
    gr.HTML(next_line("networks", _("Which networks are there?")))
    chosen = gr.State("")
    filled = {"about": about, "lesson": told, "patterns": patterns}
    for event in (tab.select, fetching.success):
        event(filling(views.fill, filled), [chosen, setup.network], list(filled.values()), **QUICK)
    shown = {"said": said, "chosen": chosen, "about": about, "use": use, "file": file}
    picking = patterns.select(filling(views.choose, shown), setup.network, list(shown.values()), **QUICK)
    picking.then(None, None, None, js=show_on_phones("library-details"))
    opened = {"said": said, "asked": setup.asked, "staged": setup.staged, "tabs": tabs}
    asking = [chosen, setup.network, setup.photo, setup.asked, setup.staged]
    using = use.click(filling(views.apply, opened), asking, list(opened.values()), **QUICK)
    using.then(None, None, None, js="() => window.scrollTo({top: 0})")
