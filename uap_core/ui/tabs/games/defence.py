"""The link to defence: the same min-max with other players, and what draws do to networks trained against patterns."""

from __future__ import annotations

from html import escape

from uap_core.i18n import _
from uap_core.ui.html.words import plain
from uap_core.ui.state import Studio
from uap_core.ui.tabs.games.polygon import FILE
from uap_core.ui.titles import network_name

UNIVERSAL = "resnet64_universal"


def link(studio: Studio) -> str:
    """Both games drawn one below the other, and the sentence of what was measured."""
    from uap_core.experiments.generator_rows import BesideRow

    title = escape(_("The same game is a defence"))
    said = _(
        "Replace D by a classifier and G by one pattern that learns with it: the classifier lowers its loss, the pattern raises"
        " it. That is universal adversarial training."
    )
    table = studio.precomputed(f"{FILE}-beside", BesideRow)
    found = {row.name: row.fooled for row in table.rows if row.kind == "network"} if table else {}
    measured = ""
    if UNIVERSAL in found and len(found) > 1:
        own = next(iter(found))
        text = _("Drawn patterns of the generator fool {own} on {before:.0%}, but {trained}, trained so, on {after:.0%}.")
        measured = text.format(
            own=plain(network_name(studio, own)),
            trained=plain(network_name(studio, UNIVERSAL)),
            before=found[own].value,
            after=found[UNIVERSAL].value,
        )
    games = (
        (_("min over G, max over D"), "G", "D", _("E log D(x) + E log(1 − D(G(z)))")),
        (_("min over the network, max over the pattern"), _("pattern v"), _("network f"), _("E loss(f(x + v), label)")),
    )
    lines = "".join(_game(*game) for game in games)
    see = escape(_("See it under Defences"))
    way = f'<p class="next"><button type="button" data-go="defences">{see} →</button></p>'
    return f'<h3>{title}</h3><p>{escape(said)} {escape(measured)}</p><div class="min-max">{lines}</div>{way}'


def _game(name: str, maker: str, other: str, value: str) -> str:
    return (
        f'<figure><figcaption>{escape(name)}</figcaption><div class="sides"><span class="player-box">{escape(maker)}</span>'
        f'<span class="value">⇄ {escape(value)} ⇄</span><span class="player-box">{escape(other)}</span></div></figure>'
    )
