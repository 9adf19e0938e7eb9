"""The list of networks and what is known of one, as HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape

from uap_core.i18n import N_, _
from uap_core.models.card import Card
from uap_core.models.names import network_names
from uap_core.models.timm_table import PREFIX
from uap_core.models.timm_table import table as timm_table
from uap_core.models.weights import ABSENT, HERE, by_hand, how_to_get, state
from uap_core.perturbations.library import library
from uap_core.ui.html.numbers import facts
from uap_core.ui.html.tables import head, wide
from uap_core.ui.html.words import KNOWN_AS, number, photographs, plain
from uap_core.ui.state import Studio
from uap_core.ui.widgets import problem, status

IN_MEMORY = N_("in memory")
BUILT_IN = N_("built in")
LEARNED_FROM = ", which are training images"  # so end cards that say so of what they were measured on
TORCHVISION = "(torchvision)"  # so do the licences of its networks end


def answer(studio: Studio) -> str:
    """How many there are, in a sentence."""
    cards = list(studio.zoo.cards().values())
    here = [card for card in cards if state(card) == HERE]
    more = sum(bool(card.url) for card in cards if card not in here)
    said = _("{here} are ready here, {more} more can be fetched, and {timm} of timm’s are found by name.")
    return said.format(here=len(here), more=more, timm=number(len(timm_table().rows)))


def listing(studio: Studio, chosen: str) -> str:
    """A row a network, ready ones first; each can be picked, the ``chosen`` one is. Above it cards that cannot be read."""
    kept, cards = studio.zoo.in_memory(), studio.zoo.cards()
    states = {key: state(card) for key, card in cards.items()}
    ordered = sorted(cards, key=lambda key: states[key] != HERE)
    rows = [_row(key, cards[key], IN_MEMORY if key in kept else states[key], key == chosen) for key in ordered]
    columns = head((_("Network"), _("Pictures"), _("Size"), _("Right"), _("On this machine")))
    faults = "".join(map(problem, studio.zoo.faults()))
    table = wide(_("All networks"), f'<table class="listing picks">{columns}{"".join(rows)}</table>')
    return f'{faults}{table}<p class="explain">{escape(copies(cards))}</p>'


def copies(cards: Mapping[str, Card]) -> str:
    """Which names stand for several sets of weights, and which networks patterns and tables name that this list lacks."""
    shown = Counter(plain(card.name) for card in cards.values())
    twice = [name for name, count in shown.items() if count > 1]
    away = sorted({key for entry in library() for key in entry.networks} - cards.keys())
    said = []
    if twice:
        said.append(
            _("Listed more than once, with different weights (named below each): {names}.").format(names=", ".join(twice))
        )
    if away:
        known = network_names(cards)
        names = ", ".join(plain(known.get(key, key)) for key in away)
        told = _("Patterns and tables also name {names}: copies of the weights that do not ship and are none of this list.")
        said.append(told.format(names=names))
    return " ".join(said)


def _row(key: str, card: Card, where: str, chosen: bool) -> str:
    kind = "here" if where in (HERE, IN_MEMORY) else "other" if where != ABSENT else "absent"
    right = f"{card.top1:.1%}" if card.top1 is not None else ""
    name = (
        f'<button type="button" aria-pressed="{str(chosen).lower()}">{escape(plain(card.name))}</button>'
        f"<small>{escape(copy_of(card))}</small>"
    )
    cells = (f"{card.input_size} px", f"{card.megabytes:.0f} MB", right)
    filled = "".join(f"<td>{cell}</td>" for cell in (*cells, f'<span class="{kind}">{escape(_(where))}</span>'))
    return f'<tr class="{kind}" data-pick="{escape(key)}"><th scope="row">{name}</th>{filled}</tr>'


def copy_of(card: Card) -> str:
    """Whose weights they are, where several copies of a network go by one name; else empty."""
    if card.kind == "embedded":
        return _(BUILT_IN)
    if card.key.startswith(PREFIX):
        return "timm"
    if TORCHVISION in card.licence:
        return "torchvision"
    return card.name.rpartition("(")[2].rstrip(")") if card.name in KNOWN_AS else ""


def memory(studio: Studio) -> str:
    """Which networks are in memory, and how much room they take."""
    kept = studio.zoo.in_memory()
    names = ", ".join(plain(studio.card(key).name) for key in kept) or _("none yet")
    said = _(
        "In memory: {names}; {used:.0f} of {most:.0f} MB (UAP_MEMORY). Visitors share one copy;"
        " the network unused for longest makes room."
    )
    return status(said.format(names=names, used=sum(kept.values()), most=studio.zoo.memory))


def details(card: Card) -> str:
    """What is known of a network, and how to get it where it is not here."""
    rows = [
        (_("right answers"), _accuracy(card)),
        (
            _("takes"),
            _("{size} x {size} pixels, cut from {cut_from} ({interpolation})").format(
                size=card.input_size, cut_from=card.resize_size, interpolation=card.interpolation
            ),
        ),
        (_("weights"), _weights(card)),
        (_("licence"), card.licence),
        (_("source"), card.source),
        (_("note"), card.note),
    ]
    known = wide(_("About this network"), facts([(name, value) for name, value in rows if value]))
    return f"<h3>{escape(plain(card.name))}</h3>{known}{_advice(card)}"


def _accuracy(card: Card) -> str:
    said = []
    places = (
        (card.measured, _("on {images}").format(images=_seen(card.measured.get("set", "")))),
        (card.published, _("as published, ImageNet validation")),
    )
    for rates, where in places:
        if rates.get("top1"):
            top = _("{top1:.1%} first, {top5:.1%} among five") if rates.get("top5") else _("{top1:.1%}")
            said.append(f"{top.format(**rates)} {where}")
    return "; ".join(said)


def _seen(measured_on: str) -> str:
    """What the rates were measured on, in plain words; whether the network learned from it is told beside it."""
    pictures = measured_on.removesuffix(LEARNED_FROM)
    if pictures == measured_on:
        return photographs(measured_on)
    said = _("{photographs}; the network learned from these pictures, the patterns did not")
    return said.format(photographs=photographs(pictures))


def _weights(card: Card) -> str:
    digits = f"{card.sha256[:16]}{'…' if len(card.sha256) > 16 else ''}" if card.sha256 else _("not stated")
    return f"{card.megabytes:.0f} MB, SHA-256 {digits}"


def _advice(card: Card) -> str:
    found = state(card)
    if found == HERE:
        return ""
    return status(by_hand(card)) if found == ABSENT and card.url else problem(how_to_get(card))
