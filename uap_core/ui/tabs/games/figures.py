"""What was measured of generators: draws, walks, corners together, other networks, and the link to defence."""

from __future__ import annotations

from html import escape

from uap_core.i18n import _
from uap_core.ui.html.tables import wide
from uap_core.ui.html.words import photographs, plain
from uap_core.ui.state import Studio
from uap_core.ui.tabs.games.polygon import FILE, FILES, Sent
from uap_core.ui.titles import network_name


def told(studio: Studio, sent: Sent) -> str:
    """Tables of draws and of what stands beside."""
    return _draws(studio) + _beside(studio, sent)


def _draws(studio: Studio) -> str:
    from uap_core.experiments.generator_rows import DrawRow

    table = studio.precomputed("generators-draws", DrawRow)
    if table is None:
        return ""
    names = {
        FILE: _("told which label"),
        f"{FILE.removesuffix('hubs-linf10')}free-linf10": _("told nothing: all its draws are one pattern"),
        FILES[1]: _("told which label, in l2"),
    }
    heads = [
        _("generator"),
        _("seed"),
        _("fooled, mean"),
        _("lowest"),
        _("highest"),
        _("deviation"),
        _("become the label"),
        _("cosine"),
        _("ruling labels"),
        _("two draws agree"),
    ]
    lines = "".join(
        _row(
            names.get(row.generator, row.generator),
            [
                str(row.seed),
                *(f"{value:.1%}" for value in (row.mean, row.lowest, row.highest, row.deviation)),
                f"{row.aimed:.1%}" if row.aimed else "",
                f"{row.cosine:.2f}",
                str(row.dominant),
                f"{row.agreement:.0%}",
            ],
        )
        for row in table.rows
    )
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    said = _("{draws} draws of each, on {photographs}. A generator that has no reason to differ makes one pattern.")
    text = said.format(draws=table.rows[0].draws, photographs=photographs(str(table.provenance["held_out"])))
    table_of_draws = wide(_("What many draws do"), f'<table class="bouts"><tr>{head}</tr>{lines}</table>')
    return f'<p class="note">{escape(text)}</p>{table_of_draws}'


def _beside(studio: Studio, sent: Sent) -> str:
    from uap_core.experiments.generator_rows import BesideRow

    table = studio.precomputed(f"{sent.name}-beside", BesideRow)
    if table is None:
        return ""
    rows: list[BesideRow] = table.rows
    walks = sorted((row for row in rows if row.kind == "walk"), key=lambda row: row.fooled.value)
    lines = ""
    if walks:
        said = _("the weakest place on any walk between two labels ({walk})").format(walk=walks[0].name)
        lines += _row(said, [f"{walks[0].fooled.value:.1%}"])
    for row in (row for row in rows if row.kind == "any corner"):
        best = next(other for other in rows if (other.kind, other.name) == ("best corner", row.name))
        said = _("at {norm} {level}: some corner fools, or the best one alone").format(norm=sent.norm, level=row.name)
        lines += _row(said, [f"{row.fooled.value:.1%} / {best.fooled.value:.1%}"])
    for row in (row for row in rows if row.kind == "network"):
        said = _("all corners on {network}").format(network=plain(network_name(studio, row.name)))
        lines += _row(said, [f"{row.fooled.value:.1%}"])
    head = escape(_("Photographs fooled"))
    body = f'<tr><th></th><th scope="col">{head}</th></tr>{lines}'
    return wide(_("Patterns between labels, corners and other networks"), f'<table class="bouts">{body}</table>')


def _row(name: str, cells: list[str]) -> str:
    return f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
