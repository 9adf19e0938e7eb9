"""Who fools whom as an HTML table: perturbations in rows, networks in columns, each cell shaded by its rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from uap_core.i18n import _
from uap_core.norms import Ball
from uap_core.ui.html.tables import head, wide
from uap_core.ui.html.words import strength

if TYPE_CHECKING:
    from uap_core.experiments.origins import MatrixRow, Origin


MADE_ON_IT = _("crafted on this network")


def rate_table(
    rows: Sequence[MatrixRow], names: Mapping[str, str], caption: str, made: str = MADE_ON_IT, marked: str = ""
) -> str:
    """The cells that ``rows`` have so far, those ``made`` on the column's network framed, average distortions in a last column.

    The row of the pattern ``marked`` stands out. ``names``: of networks and patterns, by their keys. Each cell holds its 95 %
    interval twice: as a title for the pointer, and as text that screen readers say and that a tick above the table shows.
    """
    networks = list(dict.fromkeys(row.network for row in rows))
    cells = {(row.origin, row.network): row for row in rows}
    distortions = {row.origin: row.distortion for row in rows if row.distortion is not None}
    show = _("show the 95 % intervals")
    columns = [_("pattern"), *(names.get(key, key) for key in networks), *[_("av. distortion")] * bool(distortions)]
    lines = ""
    for origin in dict.fromkeys(row.origin for row in rows):
        found = "".join(_cell(cells.get((origin, network)), made) for network in networks)
        name = escape(_name(origin, names))
        kind = ' class="chosen"' if marked and origin.perturbation == marked else ""
        lines += f'<tr{kind}><th scope="row">{name}</th>{found}{_distortion(distortions, origin)}</tr>'
    framed = _("Framed: {which}.").format(which=escape(made))
    table = wide(caption, f'<table class="matrix"><caption>{escape(caption)} {framed}</caption>{head(columns)}{lines}</table>')
    return f'<div class="rates"><label><input type="checkbox"> {show}</label>{table}</div>'


def told(row: MatrixRow, names: Mapping[str, str]) -> str:
    """One cell in words."""
    return _("{pattern} on {network}: {rate}").format(
        pattern=_name(row.origin, names), network=names[row.network], rate=row.fooling_rate
    )


def _name(origin: Origin, names: Mapping[str, str]) -> str:
    from uap_core.experiments.origins import RANDOM_SIGNS, origin_name

    if origin.perturbation == RANDOM_SIGNS and origin.size is not None and not origin.like:
        return _("random noise, {strength}").format(strength=strength(Ball(origin.p, origin.size)))
    return origin_name(origin, names)


def _cell(row: MatrixRow | None, made: str) -> str:
    if row is None:
        return "<td></td>"
    low, high = row.fooling_rate.interval
    about = _("95 % interval {low:.1%} to {high:.1%}, {count} of {total}").format(
        low=low, high=high, count=row.fooling_rate.count, total=row.fooling_rate.total
    )
    said = f"{made}, {about}" if row.crafted_on else about
    kind = ' class="own"' if row.crafted_on else ""
    return (
        f'<td{kind} style="--rate: {100 * row.fooling_rate.value:.0f}%" title="{about}">'
        f'<span class="rate">{row.fooling_rate.value:.1%}</span><span class="more"> {escape(said)}</span></td>'
    )


def _distortion(distortions: dict[Origin, float], origin: Origin) -> str:
    if not distortions:
        return ""
    found = distortions.get(origin)
    return "<td></td>" if found is None else f'<td title="{found * 255:.3g}/255">{found:.4f}</td>'
