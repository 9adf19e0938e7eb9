"""The Lab's room "Small networks": layout and wiring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.io.results import Table, to_csv
from uap_core.metrics import Rate
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.html.tables import head, line, wide
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.run import run_row
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.small_networks import crossing, regularisers
from uap_core.ui.widgets import awaited, chart, download, hide, offer, show, status

TITLE = _("Does a trick for one network work on another?")
OPENING = _("It depends on the network it was made on: small networks on drawn digits, after Szegedy et al. (2014).")
READING = _(r"""
**How to read it.** Examples are made on the network of the line by L-BFGS, from digits that all networks read right; the cell
says how many of them the network of the column misreads. *FC10(λ)* is one layer with weight decay λ, *FC100-100-10* has two
hidden layers of 100 sigmoids, *AE400-10* is a classifier on the code of a sparse autoencoder. The last column is the mean of
$\sqrt{\sum_i (x'_i - x_i)^2 / n}$. Below each stands the paper's own (Szegedy et al., 2014, Tables 1 and 4): errors
on MNIST, those without any attack included, so noise does more there to networks that err more.
""")
P1_AND_P2 = _("#### Networks that learnt from pictures of which none is the same: P1 and P2")
REGULARISE = _(r"""
#### What makes a small network err less?
The mixture (Goodfellow et al., 2015) trains on $\alpha J(x) + (1-\alpha)\,J(x + \varepsilon\,\mathrm{sign}\,\nabla_x J(x))$,
with $\varepsilon = 0.05$; dropout leaves out half of the units; the penalty (Szegedy et al., 2014, section 4.3) adds $\mu
\sum_k \log \|W_k\|_2$; RBF units say $e^{-b \|x - m\|^2}$, and nothing far from every $m$.
""")
NETWORKS, SETS, HELP = "networks", "sets", "help"  # the parts of the room, of which one is shown (games.css)
CROSS = _("Teach and cross them now ({time})")
MATH: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]
SIX_SECONDS, THREE_SECONDS, ALPHA_SECONDS = (35.0, 35.0), (10.0, 10.0), (45.0, 45.0)


@dataclass(frozen=True)
class Views:
    """What the room's events answer."""

    studio: Studio

    def stored(self) -> tuple[Any, ...]:
        """Lesson, first table with what reproduces, second table, one pattern each, files, and the regularisers."""
        from uap_core.experiments.small_networks import szegedy
        from uap_core.experiments.small_networks.crossing import CrossRow
        from uap_core.experiments.small_networks.regularisers import RegulariserRow
        from uap_core.experiments.small_networks.universal import UniversalRow

        six, halves = (self.studio.precomputed(f"digits-{name}", CrossRow) for name in ("six", "halves"))
        rows = [row for table in (six, halves) if table for row in table.rows]
        return (
            lesson(TITLE, crossing.answer(six)),
            _table(six, szegedy.SIX),
            _table(halves, szegedy.HALVES),
            _universal(self.studio.precomputed("digits-universal", UniversalRow)),
            show(offer("digits-tables.csv", to_csv(rows).encode())) if rows else hide(),
            *regularisers.stored(self.studio.precomputed("digits-regularisers", RegulariserRow)),
        )

    def cross(self) -> Iterator[tuple[Any, Any, Any]]:
        """A run that teaches the six and crosses them."""
        from uap_core.experiments.small_networks import szegedy
        from uap_core.experiments.small_networks.learners import SIX
        from uap_core.precompute.small_networks import NOISE

        yield from crossing.live(SIX, szegedy.SIX, NOISE["six"], None)

    def cross_halves(self) -> Iterator[tuple[Any, Any, Any]]:
        """A run that teaches the three of the two halves and crosses them."""
        from uap_core.experiments.small_networks import szegedy
        from uap_core.experiments.small_networks.learners import HALVES
        from uap_core.precompute.small_networks import AMPLIFIED, NOISE

        yield from crossing.live(HALVES, szegedy.HALVES, NOISE["halves"], AMPLIFIED)

    def regularise(self, alpha: Any) -> Iterator[tuple[Any, ...]]:
        """A run with the visitor's alpha."""
        yield from regularisers.live(alpha)


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the room and wire it. Nothing is read before ``tab`` is chosen."""
    views = Views(studio)
    said = gr.HTML(lesson(TITLE, OPENING), elem_id="small-lesson")
    choices = [(_("across networks"), NETWORKS), (_("across training sets"), SETS), (_("what makes them err less"), HELP)]
    gr.Radio(
        choices, value=NETWORKS, label=_("Show"), show_label=False, container=False, interactive=True, elem_id="small-which"
    )
    with gr.Column(elem_id="small-part-networks"):
        six = gr.HTML(awaited(), elem_id="small-six")
        row = run_row(studio, setup, tab, "small", CROSS, SIX_SECONDS, _always)
        row.wire(views.cross, [], _live("small"), _("Stopped. The lines so far stay."))
        universal = gr.HTML(elem_id="small-universal")
    with gr.Column(elem_id="small-part-sets"):
        gr.Markdown(P1_AND_P2, elem_classes="explain")
        halves = gr.HTML(elem_id="small-halves")
        three = run_row(studio, setup, tab, "small-halves", CROSS, THREE_SECONDS, _always)
        three.wire(views.cross_halves, [], _live("small-halves"), _("Stopped. The lines so far stay."))
    with gr.Column(elem_id="small-part-tables"):
        tables_csv = download(_("Both tables (.csv)"), "small-tables-csv")
        gr.Markdown(READING, latex_delimiters=MATH, elem_classes="explain")
    with gr.Column(elem_id="small-part-help"):
        stored = _what_helps(views, setup, tab)
    gr.HTML(next_line("games", _("What comes of two networks that play against each other?")))
    keep_fresh(setup, tab, views.stored, [], [said, six, halves, universal, tables_csv, *stored])


def _live(prefix: str) -> list[Any]:
    """Where the lines of a run go."""
    parts = [gr.HTML(elem_id=f"{prefix}-status"), gr.HTML(elem_id=f"{prefix}-live")]
    return [*parts, download(_("This table (.csv)"), f"{prefix}-csv")]


def _what_helps(views: Views, setup: Setup, tab: gr.Tab) -> list[Any]:
    """The part of regularisers, with a run of its own; returns what was precomputed fills."""
    gr.Markdown(REGULARISE, latex_delimiters=MATH, elem_classes="explain")
    stored: list[Any] = [gr.HTML(elem_id="small-regularisers")]
    stored += [chart(f"small-{name}-chart") for name in ("errors", "confidence", "alpha")]
    stored.append(download(_("All networks (.csv)"), "small-regularisers-csv"))
    alpha = gr.Slider(0, 1, 0.5, step=0.05, label=_("alpha of the mixture (1 is plain)"), elem_id="small-alpha")
    own = run_row(views.studio, setup, tab, "alpha", _("Teach nine networks ({time})"), ALPHA_SECONDS, _always)
    found = [gr.HTML(elem_id="alpha-status"), chart("alpha-live-chart"), download(_("These networks (.csv)"), "alpha-csv")]
    own.wire(views.regularise, [alpha], found, _("Stopped. What was drawn stays."))
    return stored


def _always(_network: str) -> str:
    """No reason against: digits are drawn, and the networks are taught here."""
    return ""


def _table(table: Table | None, published: crossing.Published) -> str:
    from uap_core.experiments.small_networks.learners import NAMES

    if table is None:
        return status(regularisers.NOT_COMPUTED)
    made = _("Precomputed {date}: misread of {digits}; below each, the paper's own (on MNIST).").format(
        date=table.provenance["time"][:10], digits=table.provenance["held_out"]
    )
    about = crossing.compared(table.rows, published, NAMES)
    rates = "; ".join(f"{NAMES[key]} {rate.partition(' ')[0]}" for key, rate in table.provenance["accuracy"].items())
    right = _("Right on {tested}: {rates}.").format(tested=table.provenance["tested_on"], rates=rates)
    return crossing.cross_table(table.rows, published, NAMES, made) + f'<p class="explain">{escape(about)} {escape(right)}</p>'


def _universal(table: Table | None) -> str:
    from uap_core.experiments.small_networks.learners import NAMES

    if table is None:
        return ""
    said = _(
        "One pattern for all digits, {ball}, crafted on each network: how often it fools it, and random signs of that size"
    )
    caption = said.format(ball=table.provenance["ball"])
    lines = "".join(line(escape(NAMES[row.network]), map(_short, (row.fooled, row.random_signs))) for row in table.rows)
    heads = head([_("network"), _("fooled by one pattern"), _("by random signs")])
    return wide(caption, f'<table class="listing"><caption>{escape(caption)}</caption>{heads}{lines}</table>')


def _short(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.value:.0%} <small>({low:.0%} – {high:.0%})</small>"
