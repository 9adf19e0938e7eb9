"""A section of the tab Library: patterns that others published, fetched on request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.norms import LINF, Ball
from uap_core.perturbations.remote import CATALOGUE, fetch, published
from uap_core.ui.html.words import pattern_title
from uap_core.ui.runtime.fetching import told
from uap_core.ui.runtime.list_choice import on_choice
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.sidebar import Setup
from uap_core.ui.widgets import FETCHING, QUICK, status

FETCHED_NOW = "fetched now"
BALL = Ball(LINF, 10 / 255)  # of all that is published


def offers() -> list[tuple[str, str]]:
    """(name, key) of what can be fetched and is not here yet."""
    return [(pattern_title(entry.name, BALL), entry.key) for entry in CATALOGUE if not entry.path.is_file()]


def about_offer(key: str | None) -> dict[str, Any]:
    """A sentence, the list, the buttons, and what was told: of ``key``, or of the first that is left."""
    left = offers()
    keys = [left_key for _name, left_key in left]
    key = key if key in keys else keys[0] if keys else None
    if key is None:
        note = status(_("All of the catalogue is here."))
    else:
        entry = published(key)
        said = _("{source}, {licence}. For networks of 224 pixels, such as {network}.")
        note = status(said.format(source=entry.source, licence=entry.licence, network=entry.network))
    listed = gr.update(choices=left, value=key, visible=bool(left))
    get, stop = gr.update(visible=bool(left)), gr.update(visible=False)
    return {"note": note, "offered": listed, "get": get, "stop": stop, "told": [key, *left]}


def look_at_offer(key: str | None, told_now: Any) -> dict[str, Any]:
    """When the tab is opened, or the list chosen from or only passed: what is told already, or fetched just now, stays."""
    now = about_offer(key)
    return {} if told_now in (FETCHED_NOW, now["told"]) else now


def get_it(key: str | None) -> Iterator[dict[str, Any]]:
    """Fetch it."""
    if key is None:  # another visitor was quicker
        yield about_offer(None)
        return
    asking, hidden, shown = status(_("Asking for it…")), gr.update(visible=False), gr.update(visible=True)
    yield {"note": asking, "get": hidden, "stop": shown, "told": FETCHED_NOW}
    for sentence in told(published(key).name, fetch(published(key))):
        yield {"note": sentence}
    yield about_offer(None)


def after_fetching(key: str | None) -> dict[str, Any]:
    """List and buttons when fetching has ended: whatever it said stays."""
    return about_offer(key) | {"note": gr.skip()}


def build(setup: Setup, tab: gr.Tab) -> Any:
    """Lay the section out and wire it. Returns the event of fetching, after which there is a new pattern."""
    note = gr.HTML(elem_id="catalogue-note")
    with gr.Row(equal_height=True):
        offered = gr.Dropdown(offers(), label=_("Published pattern"), scale=2, elem_id="catalogue")
        get = gr.Button(_("Download it, 0.6 MB"), scale=0, min_width=200, elem_id="catalogue-fetch")
        stop = gr.Button(_("Cancel"), variant="stop", visible=False, scale=0, min_width=120, elem_id="catalogue-stop")
    was_told = gr.State(None)  # the choice, and what there was to choose from, or FETCHED_NOW
    places = {"note": note, "offered": offered, "get": get, "stop": stop, "told": was_told}
    look, catalogue = filling(look_at_offer, places), list(places.values())
    tab.select(look, [offered, was_told], catalogue, **QUICK)
    on_choice(setup, offered)(look, [offered, was_told], catalogue, **QUICK)
    fetching = get.click(filling(get_it, places), offered, catalogue, **FETCHING)
    fetching.then(filling(after_fetching, places), offered, catalogue, **QUICK)
    stopped = stop.click(None, None, None, cancels=[fetching])
    stopped.then(filling(about_offer, places), offered, catalogue, **QUICK)
    return fetching
