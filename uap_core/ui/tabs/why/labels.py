"""A section of the tab Why: where the labels go, counted now, under the chosen pattern at the chosen strength."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from uap_core.i18n import _, ngettext
from uap_core.io.results import to_csv
from uap_core.ui.html.words import plain, strength
from uap_core.ui.runtime.run import run_row
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.state import Studio
from uap_core.ui.tabs.why.frame import LATEX, Page
from uap_core.ui.widgets import chart, download, hide, offer, progress_note, show, status

QUESTION = _(r"""
#### Where do the labels go?
An arrow $i \to j$ says that images with the clean label $k(x) = i$ become $k(x + v) = j$ more often than anything else.
""")
READING = _(r"""
Nobody asked the pattern for any label, and yet a few **dominant labels** swallow most images (Moosavi-Dezfooli et al., 2017,
Figure 7). One explanation is that their regions are large: whatever direction is taken, one soon arrives there. An arrow is
the thicker the larger the share of its label's images that takes it; labels that mostly stay what they are have none.
""")
SECONDS = (10.0, 60.0)  # of a run on small and on large networks


@dataclass(frozen=True)
class Labels:
    """What the section's events answer."""

    studio: Studio

    @of_selection
    def measure(self, chosen: Selection) -> Iterator[dict[str, Any]]:
        """The graph, batch by batch."""
        from uap_core.experiments.label_graph import Move, label_moves
        from uap_core.plots.labels import labels_figure

        yield {"said": progress_note(_("Opening network and images…"), 0), "chart": hide(), "csv": hide()}
        network = chosen.network
        classifier, perturbation = self.studio.classifier(network), chosen.perturbation(self.studio)
        images, seen = self.studio.craft_and_held_out(network)[1], self.studio.live_set_name(network)
        moves, pace = list[Move](), Pace()
        for moves in label_moves(classifier, perturbation, images):
            done = sum(move.images for move in moves)
            title = _("{network} under {pattern}: {count} {images} (live)").format(
                network=plain(classifier.card.name), pattern=perturbation.name, count=done, images=seen
            )
            csv = show(offer("labels.csv", to_csv(moves).encode()))
            chart_now = show(labels_figure(moves, title))
            yield {"said": pace.note(done, len(images), _("Images")), "chart": chart_now, "csv": csv}
        said = _("Live on {count} {images}, {strength}: {parts}.").format(
            count=len(images), images=seen, strength=strength(perturbation.ball), parts=_parts(moves)
        )
        yield {"said": status(said)}


def _parts(moves: list[Any]) -> str:
    """How many labels give way, in words."""
    from uap_core.experiments.label_graph import edges

    moved, labels = len(edges(moves)), len({move.label for move in moves})
    said = ngettext("{moved} of {labels} label becomes another one", "{moved} of {labels} labels become another one", labels)
    return said.format(moved=moved, labels=labels)


def build(page: Page) -> gr.DownloadButton:
    """Lay the section out and wire it. Returns the button for the file of the precomputed moves."""
    gr.Markdown(QUESTION, latex_delimiters=LATEX, elem_classes="explain")
    stored_csv = download(_("All moves of the picture above (.csv)"), "labels-csv")
    row = run_row(page.studio, page.setup, page.where, "labels", _("Count for the chosen pattern ({time})"), SECONDS)
    live = {
        "said": gr.HTML(elem_id="labels-live-status"),
        "chart": chart("labels-chart"),
        "csv": download(_("All moves (.csv)"), "labels-live-csv"),
    }
    gr.Markdown(READING, latex_delimiters=LATEX, elem_classes="explain")
    row.wire(Labels(page.studio).measure, page.setup.inputs, live, _("Stopped. What was drawn stays."))
    return stored_csv
