"""The ready-made patterns as pictures to choose from, and what is known of one."""

from __future__ import annotations

from html import escape
from typing import Any

from uap_core.crafting.menu import called
from uap_core.experiments.apply import amplified
from uap_core.i18n import N_, _, ngettext
from uap_core.perturbations.library import Entry, library, read_levels
from uap_core.ui.html.numbers import facts
from uap_core.ui.html.tables import wide
from uap_core.ui.html.words import number, pattern_parts, pattern_title, photographs, plain, strength
from uap_core.ui.makers import names
from uap_core.ui.state import Studio
from uap_core.ui.widgets import picture_link

GAIN = 10
IN_VIEW = 24  # patterns; the others are folded
# Settings of methods, for everybody. What has no words of its own here is left to the file.
SETTINGS = {
    "budget": N_("at most {value} looks at a picture"),
    "batch_size": N_("{value} pictures a step"),
    "gain": N_("gain {value}"),
    "bf16": N_("in 16 bits"),
    "tiles": N_("one tile repeated {value} times across and {value} times down"),
}


def in_order(studio: Studio, network: str = "") -> list[Entry]:
    """The library: the chosen network's own patterns and those that it has a part in, then patterns of networks that are here,
    then those that one of their size takes, then those that none takes."""
    here = {key for _, key in studio.networks()}

    def place(entry: Entry) -> tuple[bool, bool, bool, bool]:
        foreign, shared = network not in entry.networks, len(entry.networks) > 1
        return not taker_of(studio, entry, ""), foreign, not foreign and shared, here.isdisjoint(entry.networks)

    return sorted(library(), key=place)


def taker_of(studio: Studio, entry: Entry, network: str) -> str:
    """The network that a pattern is applied to: the chosen one if it takes such pictures, else the pattern's own, else another
    that does; empty where none is here."""
    fitting = [key for _, key in studio.networks() if studio.card(key).input_size == entry.side]
    wanted = (key for key in (network, *entry.networks) if key in fitting)
    return next(wanted, fitting[0] if fitting else "")


def answer(studio: Studio, network: str) -> str:
    """How many there are, and what the chosen network's own does, in a sentence."""
    entries = library()
    makers = {key for entry in entries for key in entry.networks}
    said = ngettext("{count} pattern is ready-made", "{count} patterns are ready-made", len(entries)).format(count=len(entries))
    here = len(makers.intersection(key for _name, key in studio.networks()))
    said = _("{patterns}, for {networks} networks, of which {here} are here").format(
        patterns=said, networks=len(makers), here=here
    )
    mine = next((e for e in entries if e.networks == (network,) and "fooling_rate" in e.provenance.get("held_out", {})), None)
    if mine is None:
        return f"{said}."
    stated = mine.provenance["held_out"]
    own = _("{said}; {network}’s own, {strength}, fools {rate:.0%} of {photographs}.")
    return own.format(
        said=said,
        network=plain(studio.card(network).name),
        strength=strength(mine.ball),
        rate=stated["fooling_rate"],
        photographs=photographs(stated.get("set", "")),
    )


def gallery(studio: Studio, chosen: str, network: str) -> str:
    """All patterns, the chosen network's first, the later ones folded; those that no network here can take stand last and
    cannot be picked."""
    entries = in_order(studio, network)
    first, rest = ("".join(_tile(studio, entry, chosen) for entry in part) for part in (entries[:IN_VIEW], entries[IN_VIEW:]))
    if not rest:
        return f'<div class="picks patterns">{first}</div>'
    unfolded = " open" if chosen in [entry.key for entry in entries[IN_VIEW:]] else ""
    count = len(entries) - IN_VIEW
    more = escape(ngettext("{count} more pattern", "{count} more patterns", count).format(count=count))
    folded = f'<details{unfolded}><summary>{more}</summary><div class="patterns">{rest}</div></details>'
    return f'<div class="picks"><div class="patterns">{first}</div>{folded}</div>'


def _tile(studio: Studio, entry: Entry, chosen: str) -> str:
    who, what = pattern_parts(entry.name, entry.ball)
    picture = f'<img class="pixels" alt="" loading="lazy" src="{picture_link(amplified(read_levels(entry.path) / 255, GAIN))}">'
    words = f"<b>{escape(who)}</b><small>{escape(what)}</small>"
    if taker_of(studio, entry, ""):
        pressed = str(entry.key == chosen).lower()
        return f'<button type="button" data-pick="{escape(entry.key)}" aria-pressed="{pressed}">{picture}{words}</button>'
    needs = escape(_("needs a network of {side} pixels:").format(side=entry.side))
    fetch_one = _("fetch one")
    fetch = f'<button type="button" data-go="networks">{escape(fetch_one)}</button>'
    return f'<div class="off">{picture}{words}<small>{needs} {fetch}</small></div>'


def details(studio: Studio, entry: Entry) -> str:
    """Where a pattern comes from and what it does."""
    origin = entry.provenance
    measured = str(origin.get("held_out", {}).get("set", ""))
    seconds, made = origin.get("seconds"), str(origin.get("time", ""))[:10]
    crafted = _("{images}, seed {seed}").format(images=origin.get("craft_set"), seed=origin.get("seed"))
    cost = _("{cost} looks at a picture, {seconds:.0f} s").format(
        cost=number(origin.get("image_gradients", 0)), seconds=seconds or 0
    )
    rows = [
        (_("size"), _("{side} x {side} pixels").format(side=entry.side)),
        (_("does"), entry.verdict.replace(measured, photographs(measured)) if measured else entry.verdict),
        (_("made on"), crafted if "craft_set" in origin else ""),
        (_("method"), _method(origin)),
        (_("took"), cost if seconds else ""),
        (_("network"), _network(studio, entry)),
        (_("made"), f"{made}, torch {origin.get('torch', '')}" if made else ""),
        (_("source"), ", ".join(filter(None, [origin.get("source"), origin.get("licence")]))),
    ]
    shown = facts([(name, value) for name, value in rows if value])
    title = pattern_title(entry.name, entry.ball)
    about_this_pattern = _("About this pattern")
    return f"<h3>{escape(title)}</h3>{wide(about_this_pattern, shown)}"


def _network(studio: Studio, entry: Entry) -> str:
    """Which it was crafted on; of those that are not here, where their weights come from."""
    here = {key for _, key in studio.networks()}
    named = ", ".join(map(plain, names(studio, list(entry.networks)).split(", ")))
    if not here.isdisjoint(entry.networks):
        return named
    away = _("{networks}: not here; weights from {place}")
    return away.format(networks=named, place=entry.provenance.get("weights_from") or entry.provenance.get("source", ""))


def _method(origin: dict[str, Any]) -> str:
    """Its name, and the settings that are not its usual ones."""
    settings = [(SETTINGS.get(name), value) for name, value in origin.get("settings", {}).items()]
    told = [_(words).format(value=number(value)) for words, value in settings if words and value]
    return f"{called(origin)} ({', '.join(told)})" if told else called(origin)
