"""The tab Networks: layout and wiring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.models.weights import ABSENT, HERE, fetch, state
from uap_core.settings import limits
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.html.picks import pick_list, picked_key, show_on_phones
from uap_core.ui.html.words import plain
from uap_core.ui.runtime.fetching import stopping, told
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.networks import pictures, timm_search
from uap_core.ui.tabs.networks.allowance import Allowance
from uap_core.ui.tabs.networks.listing import answer, details, listing, memory
from uap_core.ui.widgets import FETCHING, QUICK, status

TITLE = _("Which networks are there?")
OPENING = _("Small ones that are built in, those of ImageNet, and more to fetch.")
EXPLAIN = _("""
Networks of torchvision keep to its documented preprocessing: a picture is made as large as the network was measured with, cut,
and never resized after the pattern is added. A download counts only when all of it is here and its SHA-256 begins with the
digits that torchvision put into its name; another file under that name is listed as *other weights* and never used as
torchvision's. Your own networks join the list from a folder of cards (`python app.py --models FOLDER`, or `UAP_MODELS`);
`python -m uap_core models --check KEY` says what is wrong with one.

timm's networks come as safetensors from the Hugging Face Hub and stay in its own cache (`HF_HOME`), where timm finds them too;
each is listed once it is here. Its name says the architecture, then the training: in `in21k_ft_in1k` the 21 000 classes of the
whole ImageNet came first, then the 1000 known here.
""")


@dataclass(frozen=True)
class Views:
    """What the tab's events answer."""

    studio: Studio
    allowance: Allowance

    def listed(self, key: str) -> dict[str, Any]:
        """Sentence, list, and what is in memory."""
        told = lesson(TITLE, answer(self.studio))
        return {"lesson": told, "table": listing(self.studio, key), "memory": memory(self.studio)}

    def begin(self, key: str, network: str) -> str:
        """What is looked at when the tab is opened: what was, else the chosen network."""
        return key or network

    def pick(self, event: gr.EventData) -> dict[str, Any]:
        """The network whose row was clicked, and no hit of the search. Raises ModelError where there is none of that name."""
        return {"which": self.studio.card(picked_key(event)).key, "hits": gr.update(value=None)}

    def hit(self, key: Any) -> dict[str, Any]:
        """The network that was chosen of those that the search found. Raises ModelError where there is none of that name."""
        return {"which": self.studio.card(str(key)).key}

    def describe(self, key: str, fetching: str) -> dict[str, Any]:
        """Details, and which of the three buttons there are."""
        card = self.studio.card(key)
        found, name = state(card), plain(card.name)
        size = card.download_megabytes
        download = _("Download {network}, {size:.0f} MB").format(network=name, size=size)
        return {
            "details": details(card),
            "use": gr.update(visible=found == HERE, value=_("Use {network}").format(network=name)),
            "get": gr.update(visible=found == ABSENT and bool(card.url) and not fetching, value=download),
            "stop": gr.update(visible=bool(fetching)),  # however long it takes and whatever is looked at, it can be stopped
        }

    def use_it(self, key: str, wanted: tuple[str, int]) -> tuple[Any, Any]:
        """Choose it, and open Apply."""
        return (key, wanted[1] + 1), gr.update(selected="apply")

    def get_it(self, key: str) -> Iterator[dict[str, Any]]:
        """Fetch it: a sentence, the key while it is under way, the three buttons."""
        card = self.studio.card(key)
        self.studio.zoo.check_room(card, card.megabytes)
        name = plain(card.name)
        asking = status(_("Asking for {network}…").format(network=name))
        with self.allowance.taking(card):
            yield {"fetched": asking, "busy": key, "get": gr.update(visible=False), "stop": gr.update(visible=True)}
            for sentence in told(name, fetch(card)):
                yield {"fetched": sentence}
        yield {"fetched": status(_("{network} is here: it can be used now.").format(network=name)), "busy": ""}


@dataclass(frozen=True)
class Parts:
    """The components of the tab. ``which`` is the network that is looked at, ``busy`` the one that is being fetched."""

    lesson: gr.HTML
    table: gr.HTML
    memory: gr.HTML
    details: gr.HTML
    use: gr.Button
    get: gr.Button
    stop: gr.Button
    fetched: gr.HTML
    hits: gr.Radio
    which: gr.State
    busy: gr.State

    def places(self, *names: str) -> dict[str, Any]:
        """Some of them by the names that handlers call them by."""
        return {name: getattr(self, name) for name in names}


def build(studio: Studio, setup: Setup, tabs: gr.Tabs, tab: gr.Tab) -> None:
    """Lay out the tab and wire it; it is filled whenever it is opened."""
    said = gr.HTML(lesson(TITLE, OPENING), elem_id="networks-lesson")
    with gr.Row(equal_height=False):
        with gr.Column(scale=7, min_width=340):
            table = pick_list("networks-table")
        with gr.Column(scale=4, min_width=300, elem_id="networks-side"):
            about = gr.HTML(elem_id="networks-details")
            with gr.Row():
                use = gr.Button(_("Use it"), variant="primary", visible=False, min_width=160, elem_id="networks-use")
                get = gr.Button(_("Download"), variant="primary", visible=False, min_width=200, elem_id="networks-fetch")
                stop = gr.Button(_("Cancel"), variant="stop", visible=False, min_width=120, elem_id="networks-stop")
            fetched = gr.HTML(elem_id="networks-said")
    hits = timm_search.build()
    pictures.build(studio, tab)
    with gr.Accordion(_("For researchers"), open=False, elem_id="networks-more"):
        kept = gr.HTML(elem_id="networks-memory")
        gr.Markdown(EXPLAIN, elem_classes="explain")
    gr.HTML(next_line("learning", _("How does a network learn, and how is it fooled?")))
    parts = Parts(said, table, kept, about, use, get, stop, fetched, hits, gr.State(""), gr.State(""))
    _wire(Views(studio, Allowance(limits().fetch_megabytes)), parts, setup, tabs, tab)


def _wire(views: Views, parts: Parts, setup: Setup, tabs: gr.Tabs, tab: gr.Tab) -> None:
    which, busy = parts.which, parts.busy
    filled, shown = parts.places("lesson", "table", "memory"), parts.places("details", "use", "get", "stop")
    listed = {"fn": filling(views.listed, filled), "inputs": which, "outputs": list(filled.values()), **QUICK}
    describe = {"fn": filling(views.describe, shown), "inputs": [which, busy], "outputs": list(shown.values()), **QUICK}
    opened = setup.turn_of(tab).click(views.begin, [which, setup.network], which, **QUICK)
    opened.then(**listed)
    opened.then(**describe)
    clicked = parts.places("fetched", "which", "hits")
    picked = parts.table.select(filling(views.pick, clicked), None, list(clicked.values()), **QUICK)
    found = parts.hits.input(filling(views.hit, clicked), parts.hits, list(clicked.values()), **QUICK)
    for event in (picked, found):
        described = event.then(**describe)
        described.then(None, None, None, js=show_on_phones("networks-details"))
    parts.use.click(views.use_it, [which, setup.wanted], [setup.wanted, tabs], **QUICK)
    getting = parts.places("fetched", "busy", "get", "stop")
    fetching = parts.get.click(filling(views.get_it, getting), which, list(getting.values()), **FETCHING)
    stopped = stopping(parts.stop, fetching, _("Cancelled."), parts.fetched)
    for ended in (fetching, stopped):
        freed = ended.then(lambda: "", None, busy, **QUICK)
        freed.then(**describe).then(**listed)
