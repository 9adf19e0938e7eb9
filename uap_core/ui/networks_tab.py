"""Tab 6, Networks: every network of the zoo, what is on this machine, and fetching what is not."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from uap_core import imagenette
from uap_core.models.card import Card
from uap_core.models.weights import ABSENT, HERE, by_hand, fetch, how_to_get, state
from uap_core.ui.setup_panel import Setup
from uap_core.ui.studio import Studio
from uap_core.ui.tables import head, line, wide
from uap_core.ui.widgets import FETCHING, QUICK, facts, guarded, problem, status, told

EXPLAIN = """
Networks of torchvision keep to its documented preprocessing: a picture is made as large as the network was measured with, cut,
and never resized after the pattern is added. A download counts only when all of it is here and its SHA-256 begins with the
digits that torchvision put into its name; another file under that name is listed as *other weights* and never used as
torchvision's. Without a connection, put the file into the folder that a network's details name. Your own networks join the
list from a folder of cards (`python app.py --models FOLDER`, or `UAP_MODELS`); `python -m uap_core models --check KEY` says
what is wrong with one.
"""
IMAGES = (
    "Live measurements on networks of 224 pixels need photographs. Imagenette has 13 394 of ten classes"
    f" ({imagenette.MEGABYTES} MB, Apache-2.0); or start the app with --images and a folder or zip of your own."
)


def build(studio: Studio, setup: Setup, tabs: gr.Tabs, tab: gr.Tab) -> None:
    """Lay out the tab and wire it; it is filled whenever it is opened."""
    choices = [(card.name, key) for key, card in studio.zoo.cards().items()]
    which = gr.Dropdown(choices, value=choices[0][1], show_label=False, container=False, elem_id="networks-which")
    details = gr.HTML(elem_id="networks-details")
    with gr.Row():
        use = gr.Button("Use it", variant="primary", visible=False, scale=0, min_width=160, elem_id="networks-use")
        get = gr.Button("Download", variant="primary", visible=False, scale=0, min_width=300, elem_id="networks-fetch")
        stop = gr.Button("Cancel", variant="stop", visible=False, scale=0, min_width=120, elem_id="networks-stop")
    said = gr.HTML(elem_id="networks-said")
    table = gr.HTML(elem_id="networks-table")
    memory = gr.HTML(elem_id="networks-memory")
    gr.Markdown("#### Photographs to measure on")
    pictures = gr.HTML(elem_id="networks-pictures")
    with gr.Row():
        get_pictures = gr.Button("Download Imagenette", visible=False, scale=0, min_width=220, elem_id="pictures-fetch")
        stop_pictures = gr.Button("Cancel", variant="stop", visible=False, scale=0, min_width=120, elem_id="pictures-stop")
    gr.Markdown(EXPLAIN, elem_classes="explain")
    busy = gr.State("")  # key of the network that this visitor is fetching
    loading_pictures = gr.State(False)
    listing = [table, memory]
    buttons = [details, use, get, stop]
    picture_parts = [pictures, get_pictures, stop_pictures]

    def listed() -> tuple[str, str]:
        return _table(studio), _memory(studio)

    def describe(key: str, fetching_now: str) -> tuple[Any, ...]:
        card = studio.card(key)
        found = state(card)
        can_fetch = found == ABSENT and bool(card.url) and not fetching_now
        return (
            _details(card),
            gr.update(visible=found == HERE),
            gr.update(visible=can_fetch, value=f"Download {card.name}, {card.download_megabytes:.0f} MB"),
            gr.update(visible=bool(fetching_now)),  # however long it takes and whatever is looked at, it can be stopped
        )

    def use_it(key: str, wanted: tuple[str, int]) -> tuple[Any, Any]:
        return (key, wanted[1] + 1), gr.update(selected="apply")

    def get_it(key: str) -> Iterator[tuple[Any, ...]]:
        card = studio.card(key)
        yield status(f"Asking for {card.name}…"), key, gr.skip(), gr.update(visible=False), gr.update(visible=True)
        for sentence in told(card.name, fetch(card)):
            yield sentence, gr.skip(), gr.skip(), gr.skip(), gr.skip()
        yield status(f"{card.name} is here. Choose it on the left, or use it from here."), "", *(gr.skip(),) * 3

    def look_at_pictures(loading_now: bool) -> tuple[Any, ...]:
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        if loading_now:
            return gr.skip(), hidden, shown
        if studio.images:
            return status(f"Yours: {studio.images.name}."), hidden, hidden
        if imagenette.is_here():
            return status("Imagenette is here."), hidden, hidden
        return status(IMAGES), shown, hidden

    def get_them() -> Iterator[tuple[Any, ...]]:
        yield status("Asking for Imagenette…"), gr.update(visible=False), gr.update(visible=True), True
        for sentence in told("Imagenette", imagenette.fetch()):
            yield sentence, gr.skip(), gr.skip(), gr.skip()
        yield *look_at_pictures(False), False

    tab.select(guarded(2, 0)(listed), None, listing, **QUICK)
    tab.select(guarded(4, 0)(describe), [which, busy], buttons, **QUICK)
    tab.select(guarded(3, 0)(look_at_pictures), loading_pictures, picture_parts, **QUICK)
    which.input(guarded(4, 0)(describe), [which, busy], buttons, **QUICK)
    use.click(use_it, [which, setup.wanted], [setup.wanted, tabs], **QUICK)
    fetching = get.click(guarded(5, 0)(get_it), which, [said, busy, use, get, stop], **FETCHING)
    stopped = stop.click(None, None, None, cancels=[fetching]).then(lambda: status("Cancelled."), None, said, **QUICK)
    for ended in (fetching, stopped):
        freed = ended.then(lambda: "", None, busy, **QUICK)
        freed.then(guarded(4, 0)(describe), [which, busy], buttons, **QUICK).then(guarded(2, 0)(listed), None, listing, **QUICK)
    loading = get_pictures.click(guarded(4, 0)(get_them), None, [*picture_parts, loading_pictures], **FETCHING)
    ended = loading.then(lambda: False, None, loading_pictures, **QUICK)
    ended.then(lambda: look_at_pictures(False)[1:], None, picture_parts[1:], **QUICK)  # whatever it said stays
    stopped = stop_pictures.click(None, None, None, cancels=[loading]).then(lambda: False, None, loading_pictures, **QUICK)
    stopped.then(guarded(3, 0)(look_at_pictures), loading_pictures, picture_parts, **QUICK)


def _table(studio: Studio) -> str:
    kept = studio.zoo.in_memory()
    rows = [_row(card, "in memory" if key in kept else state(card)) for key, card in studio.zoo.cards().items()]
    columns = head(("Network", "Input", "Weights", "Top-1", "Licence", "On this machine"))
    return wide("All networks", f'<table class="listing">{columns}{"".join(rows)}</table>')


def _row(card: Card, where: str) -> str:
    top1 = f"{card.top1:.1%}" if card.top1 else ""
    kind = "here" if where in (HERE, "in memory") else "other" if where != ABSENT else "absent"
    cells = (f"{card.input_size} px", f"{card.megabytes:.0f} MB", top1, escape(card.licence))
    return line(escape(card.name), (*cells, f'<span class="{kind}">{escape(where)}</span>'))


def _memory(studio: Studio) -> str:
    kept = studio.zoo.in_memory()
    names = ", ".join(studio.card(key).name for key in kept) or "none yet"
    return status(
        f"In memory: {names}; {sum(kept.values()):.0f} of {studio.zoo.memory:.0f} MB (UAP_MEMORY). Visitors share one copy;"
        " the network unused for longest makes room."
    )


def _details(card: Card) -> str:
    found = state(card)
    measured, published = card.measured, card.published
    accuracy = [
        f"{rates['top1']:.1%} top-1, {rates['top5']:.1%} top-5 {where}"
        for rates, where in ((measured, f"on {measured.get('set', '')}"), (published, "as published, ImageNet validation"))
        if rates.get("top1") and rates.get("top5")
    ]
    rows = [
        ("accuracy", "; ".join(accuracy)),
        ("takes", f"{card.input_size} x {card.input_size} pixels, cut from {card.resize_size} ({card.interpolation})"),
        (
            "weights",
            f"{card.megabytes:.0f} MB, SHA-256 {card.sha256[:16] or 'not stated'}{'…' if len(card.sha256) > 16 else ''}",
        ),
        ("licence", card.licence),
        ("source", card.source),
        ("note", card.note),
    ]
    shown = facts([(name, value) for name, value in rows if value])
    return f"{wide('About this network', shown)}{_advice(card, found)}"


def _advice(card: Card, found: str) -> str:
    if found == HERE:
        return ""
    return status(by_hand(card)) if found == ABSENT and card.url else problem(how_to_get(card))
