"""The tab Defences, "What helps?": layout and wiring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.run import run_row
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.defences import detector, live, training
from uap_core.ui.tabs.defences.bars import bars
from uap_core.ui.tabs.defences.stored import answer, caption, defences_of
from uap_core.ui.tabs.defences.table import table_of
from uap_core.ui.tabs.defences.verdict import trained_elsewhere, verdict
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import QUICK, awaited, chart, download, hide, offer, show, status

TITLE = _("What helps?")
OPENING = _("A filter stops the pattern that does not know it; an attacker who does know it crafts another.")
UNKNOWN = _("No defence has been measured yet: a run under For researchers does so.")
EXPLAIN = _(r"""
**What helps, and for how long?** A defence $d$ changes each picture before the network sees it, so that $k_d(x) = k(d(x))$. Two
patterns of the same size are tried on it: the chosen one, which knows nothing of $d$, and one *crafted anew through* it, on the
same images. Each is judged by $P[\,k_d(x+v) \ne k_d(x)\,]$, beside random noise, and beside what $d$ costs when nobody attacks.
A defence that only the fixed pattern fails against hides the way; it does not close it. The row *none* shows what crafting
with this small budget achieves on the bare network: compare the others with that. The bars above show, once the attacker
adapts, the larger of the two rates.

*JPEG* is the real codec; its gradient is that of a smooth model of it. *Bits* rounds each value; its gradient is passed
straight through. *Blur* and *crop* have true gradients. The *trained* ones are other networks in its place, of the same
architecture (*Does training help?*, below); a network that has none here lacks these rows. All of them answer the same
picture alike every time: nothing here hides behind chance. Rows that are measured live have a pattern crafted with 200 image-
gradients on 64 images, and 64 others to measure on; a row first shows what a few of these gradients do (see its cost), and is
replaced when they are spent.
""")
LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]
SECONDS = (20.0, 200.0)  # of a run with the usual ticks, on small and on large networks


@dataclass(frozen=True)
class Views:
    """What the tab's events answer."""

    studio: Studio

    def stored(self, network: str, pattern: str) -> dict[str, Any]:
        """Sentence, bars, caption, table, chart and file of what was precomputed."""
        from uap_core.plots.defences import defences_figure

        found = defences_of(self.studio, network, pattern)
        if found is None:
            empty: dict[str, Any] = {"bars": "", "verdict": "", "below": status(UNKNOWN), "trained": "", "table": ""}
            empty |= {"chart": hide(), "csv": hide(), "show": gr.update(visible=False)}
            return {"said": lesson(TITLE, OPENING), **empty}
        rows = found.table.rows
        title = _("Defences, {network}: {count} photographs that no pattern was made from (precomputed)").format(
            network=network_name(self.studio, found.network), count=rows[0].fixed.total
        )
        elsewhere = trained_elsewhere(self.studio, found)
        return {
            "said": lesson(TITLE, answer(self.studio, found)),
            "bars": bars(rows, live.name_of(found.network, found.pattern)),
            "verdict": _paragraph(verdict(rows)),
            "below": status(caption(self.studio, found)),
            "trained": _paragraph(elsewhere),
            "show": gr.update(visible=bool(elsewhere)),
            "table": table_of(rows),
            "chart": show(drawn_once(defences_figure, rows, title)),
            "csv": show(offer("defences.csv", to_csv(rows).encode())),
        }

    def offered(self, network: str, ticked: list[str]) -> dict[str, Any]:
        """The defences that a live run can take."""
        return {"ticked": live.offered(self.studio, network, ticked)}

    @of_selection
    def measure(self, chosen: Selection, ticked: list[str]) -> Iterator[dict[str, Any]]:
        """A live run."""
        yield from live.measure(self.studio, chosen, ticked)


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it. Nothing is read or drawn before ``tab`` is chosen for the first time."""
    views = Views(studio)
    said = gr.HTML(lesson(TITLE, OPENING), elem_id="defences-lesson")
    shown = gr.HTML(elem_id="defences-bars")
    conclusion = gr.HTML(elem_id="defences-verdict")
    marks = gr.HTML(elem_id="defences-marks")
    below = gr.HTML(awaited(), elem_id="defences-status")
    trained = gr.HTML(elem_id="defences-trained")
    name = network_name(studio, QUICK_MODEL)
    show_it = gr.Button(
        _("Show the bars of {network}").format(network=name), visible=False, scale=0, min_width=220, elem_id="defences-show"
    )
    with gr.Accordion(_("For researchers"), open=False, elem_id="defences-more") as fold:
        gr.Markdown(EXPLAIN, latex_delimiters=LATEX, elem_classes="explain")
        table = gr.HTML(elem_id="defences-table")
        figure = chart("defences-chart")
        csv = download(_("These rates (.csv)"), "defences-csv")
        _live(views, setup, fold, marks)
        detector.build(studio, setup, fold)
        training.build(studio, setup, fold)
    gr.HTML(next_line("library", _("Which patterns are there?")))
    places = {"said": said, "bars": shown, "below": below, "table": table, "chart": figure, "csv": csv}
    places |= {"verdict": conclusion, "trained": trained, "show": show_it}
    show_it.click(lambda wanted: (QUICK_MODEL, wanted[1] + 1), setup.wanted, setup.wanted, **QUICK)
    keep_fresh(setup, tab, views.stored, [setup.network, setup.pattern], places)


def _paragraph(words: str) -> str:
    return f"<p>{escape(words)}</p>" if words else ""


def _live(views: Views, setup: Setup, fold: gr.Accordion, marks: gr.HTML) -> None:
    gr.Markdown(_("#### Measured now, with a small budget"))
    ticked = gr.CheckboxGroup(
        live.all_choices(), value=live.TICKED, label=_("Which defences?"), visible=False, elem_id="defences"
    )
    row = run_row(views.studio, setup, fold, "defences", _("Measure these ({time})"), SECONDS)
    state = gr.HTML(elem_id="defences-live-status")
    table = gr.HTML(elem_id="defences-live-table")
    figure = chart("defences-live-chart")
    csv = download(_("These rates (.csv)"), "defences-live-csv")
    keep_fresh(setup, fold, views.offered, [setup.network], {"said": state, "ticked": ticked}, also=[ticked])
    places = {"said": state, "table": table, "chart": figure, "csv": csv, "marks": marks}
    row.wire(views.measure, [*setup.inputs, ticked], places, _("Stopped. The rows so far stay."))
