"""What was measured of generators: draws, walks, blends, corners together, other networks, and what more fooling costs."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from uap_core.experiments.networks import LITES
from uap_core.i18n import _
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.html.tables import wide
from uap_core.ui.html.words import photographs
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.state import Studio
from uap_core.ui.tabs.games.across import across
from uap_core.ui.tabs.games.polygon import FILE, FILES, Sent
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import hide, show

if TYPE_CHECKING:
    from uap_core.experiments.generator_rows import BesideRow, DrawRow


def told(studio: Studio, sent: Sent) -> str:
    """A sentence on blends, tables of draws, of what stands beside, and of other networks."""
    rows = _beside_rows(studio, sent)
    return _blended(rows) + _draws(studio) + _large(studio) + _beside(studio, sent, rows) + across(studio, _names())


def trade(studio: Studio) -> Any:
    """The chart of fooling against difference; nothing where its table is missing."""
    from uap_core.experiments.generator_rows import TradeRow
    from uap_core.plots.generators import trade_figure

    table = studio.precomputed(f"{QUICK_MODEL}-generators-trade", TradeRow)
    if table is None:
        return hide()
    return show(
        drawn_once(trade_figure, table.rows, _("What fools more differs less: other settings, short trainings (precomputed)"))
    )


def _names() -> dict[str, str]:
    """What the rows of the draws are called, in their order."""
    free = f"{QUICK_MODEL}-free-linf10"
    return {
        FILE: _("told which label"),
        f"{FILE}-seeds": _("no generator: 10 patterns, crafted one by one"),
        f"{FILE}-targets": _("no generator: one crafted for each label"),
        free: _("told nothing: all its draws are one pattern"),
        FILES[1]: _("told which label, in l2"),
        f"{FILES[1]}-seeds": _("no generator: 10 patterns in l2, crafted one by one"),
        f"{FILES[1]}-targets": _("no generator: one crafted for each label, in l2"),
        f"{LITES[0]}-hubs-linf10": _("told which label"),
    }


def _measured(studio: Studio, name: str) -> tuple[list[DrawRow], str]:
    """Rows of a table of draws, and what they were measured on; none where it is missing."""
    from uap_core.experiments.generator_rows import DrawRow

    table = studio.precomputed(name, DrawRow)
    return (table.rows, photographs(str(table.provenance["held_out"]))) if table else ([], "")


def _draws(studio: Studio) -> str:
    names, seen, last = _names(), "", ""
    rows: list[DrawRow] = []
    for table in (
        f"{FILE}-draws",
        f"{FILE}-crafted",
        f"{QUICK_MODEL}-free-linf10-draws",
        *(f"{FILES[1]}-{x}" for x in ("draws", "crafted")),
    ):
        found, where = _measured(studio, table)
        rows, seen, last = rows + found, seen or where, where or last
    if not rows:
        return ""
    heads = [
        _("generator"),
        _("seed"),
        _("fooled, mean"),
        _("lowest"),
        _("highest"),
        _("deviation"),
        _("have the label"),
        _("cosine"),
        _("ruling labels"),
        _("two draws agree"),
        _("for two labels"),
    ]
    lines = "".join(
        _row(
            names.get(row.generator, row.generator),
            [
                "" if row.generator.endswith(("-seeds", "-targets")) else str(row.seed),
                *(f"{value:.1%}" for value in (row.mean, row.lowest, row.highest, row.deviation)),
                f"{row.aimed:.1%}" if row.aimed else "",
                f"{row.cosine:.2f}",
                str(row.dominant),
                f"{row.agreement:.0%}",
                f"{row.between:.0%}" if row.aimed else "",
            ],
        )
        for row in rows
    )
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    said = _("{draws} draws of each, on {photographs}. A generator that has no reason to differ makes one pattern.")
    text = said.format(draws=rows[0].draws, photographs=seen)
    if last != seen:
        text += " " + _("In l2: on {photographs}.").format(photographs=last)
    table_of_draws = wide(_("What many draws do"), f'<table class="bouts"><tr>{head}</tr>{lines}</table>')
    return f'<p class="note">{escape(text)}</p>{table_of_draws}'


def _large(studio: Studio) -> str:
    """A sentence on the generator for a network of 224 pixels."""
    rows, seen = _measured(studio, f"{LITES[0]}-hubs-linf10-draws")
    if not rows:
        return ""
    row = rows[0]
    said = _(
        "Another one, for {network}: {draws} draws fool {mean:.0%} on average, {lowest:.0%} to {highest:.0%}, of"
        " {photographs}; their cosine is {cosine:.2f}, and two that aim at different labels agree on {between:.0%}."
    )
    numbers = {"mean": row.mean, "lowest": row.lowest, "highest": row.highest, "cosine": row.cosine, "between": row.between}
    text = said.format(network=network_name(studio, LITES[0]), draws=row.draws, photographs=seen, **numbers)
    return f'<p class="note">{escape(text)}</p>'


def _beside_rows(studio: Studio, sent: Sent) -> list[BesideRow]:
    """What stands beside a generator, and what blends of crafted patterns do."""
    from uap_core.experiments.generator_rows import BesideRow

    tables = [studio.precomputed(f"{sent.name}-{name}", BesideRow) for name in ("beside", "blends")]
    return [row for table in tables if table for row in table.rows]


def _middles(rows: list[BesideRow]) -> dict[str, tuple[float, float]]:
    """Mean and lowest fooling rate halfway between two labels, and of blends of crafted patterns, where measured."""
    found = {}
    for kind in ("middle", "blend of targets", "blend of seeds"):
        rates = [row.fooled.value for row in rows if row.kind == kind]
        if rates:
            found[kind] = (sum(rates) / len(rates), min(rates))
    return found


def _blended(rows: list[BesideRow]) -> str:
    found = _middles(rows)
    if len(found) < 3:
        return ""
    said = _(
        "Halfway between two labels its patterns fool {made:.0%} on average, {least:.0%} at least. Half of one crafted pattern"
        " and half of another, made for the same labels, fool {blend:.0%}, {weakest:.0%} at least."
    )
    (made, least), (blend, weakest) = found["middle"], found["blend of targets"]
    return f'<p class="explain">{escape(said.format(made=made, least=least, blend=blend, weakest=weakest))}</p>'


def _beside(studio: Studio, sent: Sent, rows: list[BesideRow]) -> str:
    if not rows:
        return ""
    walks = sorted((row for row in rows if row.kind == "walk"), key=lambda row: row.fooled.value)
    lines = ""
    if walks:
        said = _("the weakest place on any walk between two labels ({walk})").format(walk=walks[0].name)
        lines += _row(said, [f"{walks[0].fooled.value:.1%}"])
    names = {
        "middle": _("halfway between two labels: mean, least"),
        "blend of targets": _("half and half of two patterns crafted for these labels: mean, least"),
        "blend of seeds": _("half and half of two crafted with different seeds: mean, least"),
    }
    for kind, (mean, least) in _middles(rows).items():
        lines += _row(names[kind], [f"{mean:.1%}, {least:.1%}"])
    for row in (row for row in rows if row.kind == "any corner"):
        best = next(other for other in rows if (other.kind, other.name) == ("best corner", row.name))
        said = _("at {norm} {level}: some corner fools, or the best one alone").format(norm=sent.norm, level=row.name)
        lines += _row(said, [f"{row.fooled.value:.1%} / {best.fooled.value:.1%}"])
    head = escape(_("Photographs fooled"))
    body = f'<tr><th></th><th scope="col">{head}</th></tr>{lines}'
    return wide(_("Patterns between labels, and corners together"), f'<table class="bouts">{body}</table>')


def _row(name: str, cells: list[str]) -> str:
    return f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
