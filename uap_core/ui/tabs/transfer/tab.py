"""The tab Transfer, "Who else falls?": layout and wiring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.runtime.lazy_refresh import fingerprint, keep_fresh
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.runtime.run import run_row
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.transfer import halves, live
from uap_core.ui.tabs.transfer.cards import cards
from uap_core.ui.tabs.transfer.kinds import across_kinds
from uap_core.ui.tabs.transfer.stored import (
    MADE,
    answer,
    equal_norms,
    evaluations,
    matrix_html,
    not_measured,
    table_html,
    tables,
)
from uap_core.ui.titles import plain_names
from uap_core.ui.widgets import QUICK, awaited, download, hide, offer, progress_note, show

TITLE = _("Who else falls?")
OPENING = _("A pattern made on one network fools others that it never met.")
QUESTION = _(r"""
**How is it counted?** A pattern $v$ crafted on one network is added to images that another one looks at: the cell in its
row and that network's column is the fooling rate $P[\,k(\mathrm{clip}(x+v)) \ne k(x)\,]$, with $k$ the network of the column.

**And examples made for each image?** They are made on the network of the row, $x' = x + r(x)$, and shown to that of the column.
The last column is their average distortion, the mean of $\sqrt{\sum_i (x'_i - x_i)^2 / n}$ over the images, as in Table 1 of
Szegedy et al. (2014), for pixels from 0 to 1.
""")
TRAINING = _(r"""
**Does it help to have learnt from other pictures?** The craft images of ten classes are parted into halves with no picture in
common. *A* and *B* are two small architectures trained on the first half, *A'* is the first one trained on the second. Examples
made on each from pictures that none of them saw are shown to the others. Where no photographs in a folder a class are here,
the run learns from digits that it draws.
""")
EXPLAIN = _(r"""
*Random signs* and *Gaussian noise* know nothing of any network. Beside patterns the noise has the $\ell_2$ norm of the
signs: with $\ell_\infty$ signs of 10/255 goes a standard deviation of 10/255, and single values go further. Beside
examples, noise is drawn anew for each image, as large as the largest of the networks' average distortions. *DeepFool*
stops just beyond its own network's boundary, so its examples are tiny and hardly another network notices; *FGSM* and
*PGD* go on within 10/255, as far as the patterns may, and reach beyond other networks' boundaries too. An attacker who
does not have the network can thus craft on another one that stands in for it, a **grey box**; a pattern that fools both
many images and many networks is **doubly universal**. The paper's Table 2 has the same for its own method,
$\ell_\infty$ 10/255, on ImageNet's validation images: a pattern crafted on GoogLeNet fools GoogLeNet at 78.9 %,
CaffeNet at 43.8 %, VGG-F at 46.2 %, VGG-16 at 39.2 %, VGG-19 at 39.8 % and ResNet-152 at 45.5 % (Moosavi-Dezfooli et
al., 2017). Live cells are measured on class impressions, on Imagenette where it was fetched, or on your own pictures,
precomputed ones on photographs: compare their order, not their height. Only networks that those pictures tell the truth
about can be ticked.
""")
MATH: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]
SECONDS, HALVES_SECONDS = (75.0, 420.0), (150.0, 150.0)  # on small and on large networks, on two cores


@dataclass(frozen=True)
class Views:
    """What the tab's events answer."""

    studio: Studio

    @of_selection
    def look_cards(self, chosen: Selection, before: str) -> Iterator[dict[str, Any]]:
        """The row of cards, network by network, where it is another one than that which was shown last."""
        key = fingerprint((chosen.photo, chosen.network, chosen.pattern, chosen.own, chosen.epsilon))
        if key == before:
            yield {}  # Gradio empties what a handler that yields nothing was to fill
            return
        yield {"seen": ""}  # of a row that fails nothing is known
        for said, row in cards(self.studio, chosen):
            yield {"said": said, "row": row, "seen": key}

    def stored(self, network: str, pattern: str) -> dict[str, Any]:
        """Sentence, matrix, examples, their file, halves: what was precomputed for networks of this one's size."""
        matrix, examples = tables(self.studio, network)
        known = plain_names(self.studio)
        rows = [row for table in (matrix, examples) if table for row in table.rows]
        file = show(offer("transfer-stored.csv", to_csv(rows).encode())) if rows else hide()
        missing = not_measured(self.studio, network)
        said = answer(matrix, pattern, known)
        kinds = across_kinds(matrix.rows, self.studio.zoo.cards(), known) if matrix else ""
        return {
            "said": lesson(TITLE, f"{said} {kinds}".strip()),
            "matrix": matrix_html(matrix, known, missing, pattern),
            "examples": table_html(examples, known, missing, MADE),
            "csv": file,
            "beyond": evaluations(self.studio, network, known),
            "norms": equal_norms(self.studio, network),
            "halves": halves.stored(self.studio),
        }

    def offered(self, network: str, ticked: list[str]) -> dict[str, Any]:
        """The networks that a live run can take."""
        return {"ticked": live.offered(self.studio, network, ticked)}

    def measure(self, network: str, own: dict[str, Pattern], ticked: list[str]) -> Iterator[dict[str, Any]]:
        """A live run."""
        yield {"said": progress_note(_("Opening networks and images…"), 0), "table": "", "csv": hide()}
        yield from live.run_of(self.studio, network, own, ticked).cells()

    def learn(self) -> Iterator[dict[str, Any]]:
        """A run that trains the three learners."""
        yield from halves.learn(self.studio)


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it. Nothing is read before ``tab`` is chosen."""
    views = Views(studio)
    said = gr.HTML(lesson(TITLE, OPENING), elem_id="transfer-lesson")
    counted = gr.HTML(awaited(), elem_id="transfer-counted")
    row = gr.HTML(elem_id="transfer-cards")
    matrix = gr.HTML(elem_id="transfer-matrix")
    with gr.Accordion(_("For researchers"), open=False, elem_id="transfer-more") as fold:
        gr.Markdown(QUESTION, latex_delimiters=MATH, elem_classes="explain")
        beyond = gr.HTML(elem_id="transfer-beyond")
        norms = gr.HTML(elem_id="transfer-norms")
        examples = gr.HTML(elem_id="transfer-examples")
        stored_csv = download(_("Both tables (.csv)"), "transfer-stored-csv")
        _live(views, setup, fold)
        halves_table = _halves(views, setup, fold)
        gr.Markdown(EXPLAIN, latex_delimiters=MATH, elem_classes="explain")
    gr.HTML(next_line("why", _("Why does one pattern work on all of them?")))
    seen = gr.State("")
    shown = {"said": counted, "row": row, "seen": seen}
    looked, outputs = filling(views.look_cards, shown), list(shown.values())
    setup.turn_of(tab).click(looked, [*setup.inputs, seen], outputs, trigger_mode="always_last", **QUICK)
    precomputed = {"said": said, "matrix": matrix, "examples": examples, "csv": stored_csv, "halves": halves_table}
    precomputed |= {"beyond": beyond, "norms": norms}
    keep_fresh(setup, tab, views.stored, [setup.network, setup.pattern], precomputed)


def _live(views: Views, setup: Setup, fold: gr.Accordion) -> None:
    gr.Markdown(_("#### Live: the library's patterns and yours, on networks of the chosen one's size"))
    networks = gr.CheckboxGroup(label=_("Measured on"), visible=False, elem_id="transfer-networks")
    buttons = run_row(views.studio, setup, fold, "transfer", _("Measure them ({time})"), SECONDS)
    state = gr.HTML(elem_id="transfer-status")
    table = gr.HTML(elem_id="transfer-live")
    csv = download(_("These cells (.csv)"), "transfer-csv")
    keep_fresh(setup, fold, views.offered, [setup.network], {"said": state, "ticked": networks}, also=[networks])
    inputs, stopped = [setup.network, setup.own, networks], _("Stopped. The cells so far stay.")
    buttons.wire(views.measure, inputs, {"said": state, "table": table, "csv": csv}, stopped)


def _always(_network: str) -> str:
    """No reason against a run: without photographs it draws its pictures."""
    return ""


def _halves(views: Views, setup: Setup, fold: gr.Accordion) -> gr.HTML:
    gr.Markdown(_("#### Across training sets"))
    gr.Markdown(TRAINING, latex_delimiters=MATH, elem_classes="explain")
    table = gr.HTML(elem_id="halves-stored")

    buttons = run_row(views.studio, setup, fold, "halves", _("Train the three ({time})"), HALVES_SECONDS, _always)
    state = gr.HTML(elem_id="halves-status")
    trained = gr.HTML(elem_id="halves-live")
    csv = download(_("This table (.csv)"), "halves-csv")
    buttons.wire(views.learn, [], {"said": state, "table": trained, "csv": csv}, _("Stopped."))
    return table
