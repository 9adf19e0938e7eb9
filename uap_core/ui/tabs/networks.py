"""The tab Networks: every network of the zoo, what is on this machine, and fetching what is not."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from uap_core.datasets import imagenette
from uap_core.i18n import N_, _
from uap_core.models.card import Card
from uap_core.models.weights import ABSENT, HERE, by_hand, fetch, how_to_get, state
from uap_core.ui.html.tables import head, line, wide
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs import timm_search
from uap_core.ui.widgets import FETCHING, QUICK, facts, guarded, problem, status, stopping, told

EXPLAIN = _("""
Networks of torchvision keep to its documented preprocessing: a picture is made as large as the network was measured with, cut,
and never resized after the pattern is added. A download counts only when all of it is here and its SHA-256 begins with the
digits that torchvision put into its name; another file under that name is listed as *other weights* and never used as
torchvision's. Without a connection, put the file into the folder that a network's details name. Your own networks join the
list from a folder of cards (`python app.py --models FOLDER`, or `UAP_MODELS`); `python -m uap_core models --check KEY` says
what is wrong with one.

timm's networks come as safetensors from the Hugging Face Hub and stay in its own cache (`HF_HOME`), where timm finds them too;
each is listed once it is here. Its name says the architecture, then the training: in `in21k_ft_in1k` the 21 000 classes of the
whole ImageNet came first, then the 1000 known here.
""")
IMAGES = _(
    "Live measurements on networks of 224 pixels need photographs. Imagenette has 13 394 of ten classes"
    " ({size} MB, Apache-2.0); or start the app with --images and a folder or zip of your own."
).format(size=imagenette.MEGABYTES)
IN_MEMORY = N_("in memory")


def build(studio: Studio, setup: Setup, tabs: gr.Tabs, tab: gr.Tab) -> None:
    """Lay out the tab and wire it; it is filled whenever it is opened."""
    choices = _choices(studio)
    which = gr.Dropdown(choices, value=choices[0][1], show_label=False, container=False, elem_id="networks-which")
    hits = timm_search.build()
    details = gr.HTML(elem_id="networks-details")
    with gr.Row():
        use = gr.Button(_("Use it"), variant="primary", visible=False, scale=0, min_width=160, elem_id="networks-use")
        get = gr.Button(_("Download"), variant="primary", visible=False, scale=0, min_width=300, elem_id="networks-fetch")
        stop = gr.Button(_("Cancel"), variant="stop", visible=False, scale=0, min_width=120, elem_id="networks-stop")
    said = gr.HTML(elem_id="networks-said")
    table = gr.HTML(elem_id="networks-table")
    memory = gr.HTML(elem_id="networks-memory")
    gr.Markdown(_("#### Photographs to measure on"))
    pictures = gr.HTML(elem_id="networks-pictures")
    with gr.Row():
        get_pictures = gr.Button(_("Download Imagenette"), visible=False, scale=0, min_width=220, elem_id="pictures-fetch")
        stop_pictures = gr.Button(_("Cancel"), variant="stop", visible=False, scale=0, min_width=120, elem_id="pictures-stop")
    gr.Markdown(EXPLAIN, elem_classes="explain")
    busy = gr.State("")  # key of the network that this visitor is fetching
    loading_pictures = gr.State(False)
    listing = [table, memory, which]
    buttons = [details, use, get, stop]
    picture_parts = [pictures, get_pictures, stop_pictures]

    def listed(key: str) -> tuple[Any, ...]:
        return _table(studio), _memory(studio), gr.update(choices=_choices(studio, key))

    def pick(key: str) -> Any:
        return gr.update(choices=_choices(studio, key), value=key)

    def describe(key: str, fetching_now: str) -> tuple[Any, ...]:
        card = studio.card(key)
        found = state(card)
        can_fetch = found == ABSENT and bool(card.url) and not fetching_now
        return (
            _details(card),
            gr.update(visible=found == HERE),
            gr.update(
                visible=can_fetch,
                value=_("Download {network}, {size:.0f} MB").format(network=card.name, size=card.download_megabytes),
            ),
            gr.update(visible=bool(fetching_now)),  # however long it takes and whatever is looked at, it can be stopped
        )

    def use_it(key: str, wanted: tuple[str, int]) -> tuple[Any, Any]:
        return (key, wanted[1] + 1), gr.update(selected="apply")

    def get_it(key: str) -> Iterator[tuple[Any, ...]]:
        card = studio.card(key)
        studio.zoo.check_room(card, card.megabytes)
        yield (
            status(_("Asking for {network}…").format(network=card.name)),
            key,
            gr.skip(),
            gr.update(visible=False),
            gr.update(visible=True),
        )
        for sentence in told(card.name, fetch(card)):
            yield sentence, gr.skip(), gr.skip(), gr.skip(), gr.skip()
        yield (
            status(_("{network} is here. Choose it on the left, or use it from here.").format(network=card.name)),
            "",
            *(gr.skip(),) * 3,
        )

    def look_at_pictures(loading_now: bool) -> tuple[Any, ...]:
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        if loading_now:
            return gr.skip(), hidden, shown
        if studio.images:
            return status(_("Yours: {name}.").format(name=studio.images.name)), hidden, hidden
        if imagenette.is_here():
            return status(_("Imagenette is here.")), hidden, hidden
        return status(IMAGES), shown, hidden

    def get_them() -> Iterator[tuple[Any, ...]]:
        yield status(_("Asking for Imagenette…")), gr.update(visible=False), gr.update(visible=True), True
        for sentence in told("Imagenette", imagenette.fetch()):
            yield sentence, gr.skip(), gr.skip(), gr.skip()
        yield *look_at_pictures(False), False

    tab.select(guarded(3, 0)(listed), which, listing, **QUICK)
    tab.select(guarded(4, 0)(describe), [which, busy], buttons, **QUICK)
    tab.select(guarded(3, 0)(look_at_pictures), loading_pictures, picture_parts, **QUICK)
    which.input(guarded(4, 0)(describe), [which, busy], buttons, **QUICK)
    picked = hits.input(guarded(1, 0)(pick), hits, which, **QUICK)
    picked.then(guarded(4, 0)(describe), [which, busy], buttons, **QUICK)
    use.click(use_it, [which, setup.wanted], [setup.wanted, tabs], **QUICK)
    fetching = get.click(guarded(5, 0)(get_it), which, [said, busy, use, get, stop], **FETCHING)
    stopped = stopping(stop, fetching, _("Cancelled."), said)
    for ended in (fetching, stopped):
        freed = ended.then(lambda: "", None, busy, **QUICK)
        freed.then(guarded(4, 0)(describe), [which, busy], buttons, **QUICK).then(
            guarded(3, 0)(listed), which, listing, **QUICK
        )
    loading = get_pictures.click(guarded(4, 0)(get_them), None, [*picture_parts, loading_pictures], **FETCHING)
    ended = loading.then(lambda: False, None, loading_pictures, **QUICK)
    ended.then(lambda: look_at_pictures(False)[1:], None, picture_parts[1:], **QUICK)  # whatever it said stays
    stopped = stop_pictures.click(None, None, None, cancels=[loading]).then(lambda: False, None, loading_pictures, **QUICK)
    stopped.then(guarded(3, 0)(look_at_pictures), loading_pictures, picture_parts, **QUICK)


def _choices(studio: Studio, chosen: str = "") -> list[tuple[str, str]]:
    """(shown name, key) of the networks that are listed, and of the ``chosen`` one, which may be timm's and not fetched."""
    cards = studio.zoo.cards()
    keys = [*cards, *([chosen] if chosen and chosen not in cards else [])]
    return [(studio.card(key).name if key not in cards else cards[key].name, key) for key in keys]


def _table(studio: Studio) -> str:
    kept = studio.zoo.in_memory()
    rows = [_row(card, IN_MEMORY if key in kept else state(card)) for key, card in studio.zoo.cards().items()]
    columns = head((_("Network"), _("Input"), _("Weights"), _("Top-1"), _("Licence"), _("On this machine")))
    return wide(_("All networks"), f'<table class="listing">{columns}{"".join(rows)}</table>')


def _row(card: Card, where: str) -> str:
    top1 = f"{card.top1:.1%}" if card.top1 else ""
    kind = "here" if where in (HERE, IN_MEMORY) else "other" if where != ABSENT else "absent"
    cells = (f"{card.input_size} px", f"{card.megabytes:.0f} MB", top1, escape(card.licence))
    return line(escape(card.name), (*cells, f'<span class="{kind}">{escape(_(where))}</span>'))


def _memory(studio: Studio) -> str:
    kept = studio.zoo.in_memory()
    names = ", ".join(studio.card(key).name for key in kept) or _("none yet")
    said = _(
        "In memory: {names}; {used:.0f} of {most:.0f} MB (UAP_MEMORY). Visitors share one copy;"
        " the network unused for longest makes room."
    )
    return status(said.format(names=names, used=sum(kept.values()), most=studio.zoo.memory))


def _details(card: Card) -> str:
    found = state(card)
    measured, published, unknown = card.measured, card.published, _("not stated")
    accuracy = [
        (_("{top1:.1%} top-1, {top5:.1%} top-5 {where}") if rates.get("top5") else _("{top1:.1%} top-1 {where}")).format(
            **rates, where=where
        )
        for rates, where in (
            (measured, _("on {images}").format(images=measured.get("set", ""))),
            (published, _("as published, ImageNet validation")),
        )
        if rates.get("top1")
    ]
    rows = [
        (_("accuracy"), "; ".join(accuracy)),
        (
            _("takes"),
            _("{size} x {size} pixels, cut from {cut_from} ({interpolation})").format(
                size=card.input_size, cut_from=card.resize_size, interpolation=card.interpolation
            ),
        ),
        (
            _("weights"),
            f"{card.megabytes:.0f} MB, SHA-256 {card.sha256[:16] or unknown}{'…' if len(card.sha256) > 16 else ''}",
        ),
        (_("licence"), card.licence),
        (_("source"), card.source),
        (_("note"), card.note),
    ]
    shown = facts([(name, value) for name, value in rows if value])
    return wide(_("About this network"), shown) + _advice(card, found)


def _advice(card: Card, found: str) -> str:
    if found == HERE:
        return ""
    return status(by_hand(card)) if found == ABSENT and card.url else problem(how_to_get(card))
