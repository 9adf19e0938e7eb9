"""The transfer matrix of generators: what their draws fool on every network of their size, as NAG reports it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from uap_core.experiments.networks import LITES
from uap_core.i18n import _
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.html.tables import head, wide
from uap_core.ui.html.words import photographs
from uap_core.ui.state import Studio
from uap_core.ui.titles import network_name

if TYPE_CHECKING:
    from uap_core.experiments.generator_rows import TransferRow
    from uap_core.io.results import Table

OWNERS = (QUICK_MODEL, LITES[0])


def measured(studio: Studio, owner: str) -> Table | None:
    """The matrix of the generators that were trained on ``owner``; None where it is missing."""
    from uap_core.experiments.generator_rows import TransferRow

    return studio.precomputed(f"{owner}-generators-transfer", TransferRow)


def across(studio: Studio, names: Mapping[str, str]) -> str:
    """A table for each size of picture; ``names`` are those of the generators by their files."""
    tables = {owner: measured(studio, owner) for owner in OWNERS}
    return "".join(_matrix(studio, owner, table, names) for owner, table in tables.items() if table)


def _matrix(studio: Studio, owner: str, table: Table, names: Mapping[str, str]) -> str:
    networks = list(dict.fromkeys(row.network for row in table.rows))
    cells = {(row.generator, row.seed, row.network): row for row in table.rows}
    lines = ""
    for file, seed in dict.fromkeys((row.generator, row.seed) for row in table.rows):
        found = [cells[file, seed, network] for network in networks]
        others = [row.mean for row in found if row.network != owner]
        name = _("{generator}, seed {seed}").format(generator=names.get(file, file), seed=seed)
        shown = "".join(_cell(row, owner) for row in found)
        lines += f'<tr><th scope="row">{escape(name)}</th>{shown}<td>{sum(others) / len(others):.1%}</td></tr>'
    columns = [_("generator"), *(network_name(studio, key) for key in networks), _("the others, mean")]
    said = _(
        "{draws} draws of each generator on every network of its size, on {photographs}: mean fooling rate ± standard"
        " deviation in points, and the lowest. Framed: the network it was trained on."
    )
    text = said.format(draws=table.rows[0].draws, photographs=photographs(str(table.provenance["held_out"])))
    title = _("What draws do to other networks")
    body = wide(title, f'<table class="matrix">{head(columns)}{lines}</table>')
    return f'<p class="note">{escape(text)}</p>{body}'


def _cell(row: TransferRow, owner: str) -> str:
    kind = ' class="own"' if row.network == owner else ""
    numbers = f"{row.mean:.1%} ± {100 * row.deviation:.1f}<br><small>{row.lowest:.1%}</small>"
    return f'<td{kind} style="--rate: {100 * row.mean:.0f}%">{numbers}</td>'
