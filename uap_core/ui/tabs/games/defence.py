"""The link to defence: the same min-max with other players, and what draws do to networks trained against patterns."""

from __future__ import annotations

from html import escape
from typing import Any

from uap_core.i18n import _
from uap_core.models.robust_variants import UNIVERSAL, twin_key
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.html.lesson import go_line
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.state import Studio
from uap_core.ui.tabs.games import across
from uap_core.ui.tabs.games.polygon import FILE
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import hide, show

UNIVERSAL_TWIN = twin_key(QUICK_MODEL, UNIVERSAL)


def link(studio: Studio) -> str:
    """Both games drawn one below the other, and the sentence of what was measured."""
    title = escape(_("The same game is a defence"))
    said = _(
        "Replace D by a classifier and G by one pattern that learns with it: the classifier lowers its loss, the pattern raises"
        " it. That is universal adversarial training."
    )
    table = across.measured(studio, QUICK_MODEL)
    found = {row.network: row.mean for row in table.rows if (row.generator, row.seed) == (FILE, 0)} if table else {}
    measured = ""
    if {QUICK_MODEL, UNIVERSAL_TWIN} <= set(found):
        text = _("A generator's draws fool {own} on {before:.0%} on average, but {trained}, trained so, on {after:.0%}.")
        measured = text.format(
            own=network_name(studio, QUICK_MODEL),
            trained=network_name(studio, UNIVERSAL_TWIN),
            before=found[QUICK_MODEL],
            after=found[UNIVERSAL_TWIN],
        )
    games = (
        (_("min over G, max over D"), "G", "D", _("E log D(x) + E log(1 − D(G(z)))")),
        (_("min over the network, max over the pattern"), _("pattern v"), _("network f"), _("E loss(f(x + v), label)")),
    )
    lines = "".join(_game(*game) for game in games)
    return f'<h3>{title}</h3><p>{escape(said)} {escape(measured)}</p><div class="min-max">{lines}</div>'


def curve(studio: Studio) -> Any:
    """How the network that played it learnt, epoch by epoch; nothing where that is not here."""
    from uap_core.plots.training import twins_figure
    from uap_core.training.loop import EpochRow

    table = studio.precomputed(f"{UNIVERSAL_TWIN}-training", EpochRow)
    if table is None:
        return hide()
    title = _("{network} while it played this game against a pattern (precomputed)").format(
        network=network_name(studio, QUICK_MODEL)
    )
    return show(drawn_once(twins_figure, {UNIVERSAL: table.rows}, title))


def onward() -> str:
    """The way to what defends."""
    return go_line("defences", _("See it under Defences"))


def _game(name: str, maker: str, other: str, value: str) -> str:
    return (
        f'<figure><figcaption>{escape(name)}</figcaption><div class="sides"><span class="player-box">{escape(maker)}</span>'
        f'<span class="value">⇄ {escape(value)} ⇄</span><span class="player-box">{escape(other)}</span></div></figure>'
    )
