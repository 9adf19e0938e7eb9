"""A fold of the tab Why: how near 2 000 looks come to the ceiling, and which photographs never fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.experiments.networks import LIMITED
from uap_core.i18n import _
from uap_core.io.results import Table, to_csv
from uap_core.ui.html.tables import head, line, wide
from uap_core.ui.html.words import number, photographs
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.tabs.why.frame import Page
from uap_core.ui.titles import plain_names
from uap_core.ui.widgets import awaited, chart, download, hide, offer, show, status

if TYPE_CHECKING:
    from uap_core.experiments.limit import LimitRow, NeverRow, TraitRow

TITLE = _("The limit, honestly")
BUDGETS = (2_000, 10_000, 100_000)
TRAITS = {
    "margin": _("how far the answer is ahead of the next (margin of the logits)"),
    "sure": _("probability of the answer"),
    "fine": _("share of the picture's energy in fine structure"),
    "contrast": _("contrast (standard deviation of the grey values)"),
    "clipped": _("share of values at black or white, where clipping eats a pattern"),
    "right": _("share that the network names rightly"),
}
HEAD = (_("Of the photographs"), _("that never fall"), _("that fall"), _("AUC"))
READING = _(
    "Means with 95 % intervals. AUC: how often a photograph that never falls has more of it than one that falls; 0.5 means that"
    " it tells nothing."
)


@dataclass(frozen=True)
class Views:
    """What the fold's events answer."""

    page: Page

    def limit(self, network: str) -> dict[str, Any]:
        """The chart of all networks, and who never falls to the chosen one's patterns, or to those of the quick one."""
        from uap_core.plots.limits import limit_figure

        names, tables = plain_names(self.page.studio), self._tables()
        rows: list[LimitRow] = [row for table in tables for row in table.rows]
        if not rows:
            return {"said": status(_("Not computed yet.")), "chart": hide(), "table": "", "csv": hide()}
        key = network if network in {row.network for row in rows} else rows[0].network
        title = _("The default method from all pictures at hand")
        csv = show(offer("limit.csv", to_csv(rows).encode()))
        figure = drawn_once(limit_figure, rows, names, title)
        said = status(f"{told([row for row in rows if row.network == key], names.get(key, key))} {_dated(tables)}")
        return {"said": said, "chart": show(figure), "table": self._never(key, names), "csv": csv}

    def _tables(self) -> list[Table]:
        from uap_core.experiments.limit import LimitRow

        names = [f"{key}-limit-{budget}" for key in LIMITED for budget in BUDGETS]
        found = [self.page.studio.precomputed(name, LimitRow) for name in names]
        return [table for table in found if table]

    def _never(self, network: str, names: dict[str, str]) -> str:
        from uap_core.experiments.limit import NeverRow, TraitRow

        never = self.page.studio.precomputed(f"{network}-limit-never", NeverRow)
        traits = self.page.studio.precomputed(f"{network}-limit-traits", TraitRow)
        if never is None or traits is None:
            return ""
        return never_html(never, traits.rows, names.get(network, network))


def _dated(tables: Sequence[Table]) -> str:
    return _("Precomputed {date}.").format(date=max(table.provenance["time"] for table in tables)[:10])


def told(rows: Sequence[LimitRow], name: str) -> str:
    """How near the shortest run comes to the longest, in a sentence."""
    first, last = min(rows, key=lambda row: row.image_gradients), max(rows, key=lambda row: row.image_gradients)
    if first is last:
        said = _("{name}: {rate:.1%} of {count} photographs after {spent} looks at a picture.")
        return said.format(
            name=name, rate=first.fooling_rate.value, count=first.fooling_rate.total, spent=number(first.image_gradients)
        )
    said = _(
        "{name}: {few} looks at a picture fool {rate:.1%} of {count} photographs that the pattern was not made from, {many}"
        " looks {most:.1%}: {gain:+.1f} points for {times:.0f} times the effort."
    )
    return said.format(
        name=name,
        few=number(first.image_gradients),
        rate=first.fooling_rate.value,
        count=first.fooling_rate.total,
        many=number(last.image_gradients),
        most=last.fooling_rate.value,
        gain=100 * (last.fooling_rate.value - first.fooling_rate.value),
        times=last.image_gradients / first.image_gradients,
    )


def never_html(never: Table, traits: Sequence[TraitRow], name: str) -> str:
    """How many photographs no pattern fools, which these are, and what tells them from the others."""
    row: NeverRow = never.rows[0]
    said = _(
        "{share:.1%} of {photographs} never fall: none of the {count} patterns made for {name} at this strength fools them."
    )
    said = said.format(
        share=row.never.value,
        photographs=photographs(never.provenance["held_out"]),
        count=len(row.patterns),
        name=name,
    )
    labels = _("Most of them are named: {labels}.").format(labels=", ".join(row.labels)) if row.labels else ""
    words = f"<p><b>{escape(said)}</b> {escape(labels)}</p>"
    if not traits:
        return words
    lines = "".join(line(escape(TRAITS.get(one.trait, one.trait)), _cells(one)) for one in traits)
    table = wide(_("What tells them apart"), f'<table class="matrix">{head(HEAD)}{lines}</table>')
    return f'{words}{table}<p class="note">{escape(READING)}</p>'


def _cells(row: TraitRow) -> tuple[str, str, str]:
    pairs = ((row.never, row.never_half), (row.falls, row.falls_half))
    never, falls = (f"{mean:.3g} ± {half:.2g}" for mean, half in pairs)
    return never, falls, f"{row.auc:.2f}"


def build(page: Page) -> None:
    """Lay the fold out and wire it. Nothing is read before it is unfolded."""
    with gr.Accordion(TITLE, open=False, elem_id="why-limit") as fold:
        said = gr.HTML(awaited(), elem_id="limit-status")
        figure = chart("limit-chart")
        table = gr.HTML(elem_id="limit-never")
        csv = download(_("The drawn rates (.csv)"), "limit-csv")
    places = {"said": said, "chart": figure, "table": table, "csv": csv}
    keep_fresh(page.setup, fold, Views(page).limit, [page.setup.network], places)
