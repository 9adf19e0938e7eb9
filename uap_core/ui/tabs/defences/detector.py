"""A section of the tab Defences: can a pattern be noticed?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.ui.html.words import photographs, plain
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.run import run_row
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import chart, download, hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.experiments.detector import DetectorRow

EXPLAIN = _(r"""
**Can a pattern be noticed?** A universal pattern makes a few features dominate whatever the picture shows, so that the entropy
of a deep layer falls (Sun, Sun and Zhao, ICLR 2025). Here
$H(x) = -\sum_c p_c \log p_c$ with $p = \mathrm{softmax}$ of the channels' means in the last feature maps, and an alarm is
$H(x) < \tau$. The curve shows, for every $\tau$, the share of attacked images that raise the alarm against the share of clean
ones that do; the area under it (AUC) is the chance that the attacked image of a pair has the lower entropy, one half for a
coin. Its 95 % interval is that of Hanley and McNeil (1982).

What the detector is worth, the pattern that *knows* it tells (Carlini and Wagner, 2017): at each step of its crafting a second
gradient pulls $H(x + v)$ up, as long as it is below the median of clean images. It takes more steps to fool as many, and is not
noticed.
""")

LIVE_CRAFT, LIVE_HELD_OUT, LIVE_AWARE = 64, 64, 800  # images; image-gradients of a pattern that knows it, two for each image
SECONDS = (25.0, 150.0)  # of a run on small and on large networks
LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


@dataclass(frozen=True)
class Views:
    """What the section's events answer."""

    studio: Studio

    def stored_detector(self, network: str, pattern: str) -> dict[str, Any]:
        """What was precomputed for this choice, if anything was."""
        from uap_core.experiments.detector import DetectorRow
        from uap_core.plots.defences import detector_figure

        found = self.studio.precomputed(f"{network}-detector", DetectorRow)
        if found is None or pattern != found.provenance["pattern_file"]:
            return {"said": status(_("Nothing precomputed for this choice.")), "chart": hide(), "csv": hide()}
        title = _("Entropy of a deep layer, {network}: {count} photographs that no pattern was made from (precomputed)").format(
            network=network_name(self.studio, network), count=found.rows[0].fooled.total
        )
        said = _("Precomputed on {images}, {date}. {noticed}").format(
            images=photographs(found.provenance["held_out"]), date=found.provenance["time"][:10], noticed=noticed(found.rows)
        )
        drawn = drawn_once(detector_figure, found.rows, title)
        return {"said": status(said), "chart": show(drawn), "csv": _file(found.rows)}

    @of_selection
    def detect(self, chosen: Selection) -> Iterator[dict[str, Any]]:
        """The curves, one after another."""
        import torch

        from uap_core.crafting.detector_aware import Unnoticed
        from uap_core.experiments.defences import Crafting
        from uap_core.experiments.detector import detector_rows

        yield {"said": progress_note(_("Opening network and images…"), 0)}
        network = chosen.network
        classifier, perturbation = self.studio.classifier(network), chosen.perturbation(self.studio)
        craft, held_out = self.studio.some(network, LIVE_CRAFT, LIVE_HELD_OUT)
        about = _("{count} {images}").format(count=len(held_out), images=self.studio.live_set_name(network))
        title = _("{pattern} on {network}: {images} (live)").format(
            pattern=perturbation.name, network=plain(classifier.card.name), images=about
        )
        rows = list[Any]()
        method, generator = Unnoticed(budget=LIVE_AWARE), torch.Generator().manual_seed(0)
        for found in detector_rows(classifier, perturbation, craft, held_out, method, generator):
            if not isinstance(found, Crafting):
                rows += found
            yield _step(rows, found, title)
        spent = _("{cost} image-gradients on {count} images for the pattern that knows the detector").format(
            cost=LIVE_AWARE, count=len(craft)
        )
        said = _("Live: {spent}, measured on {images}. {conclusion}")
        yield {"said": status(said.format(spent=spent, images=about, conclusion=noticed(rows)))}


def _step(rows: list[DetectorRow], found: Any, title: str) -> dict[str, Any]:
    """How far it is, and what is drawn of it: ``found`` is a share of crafting, or the points of a curve."""
    from uap_core.experiments.defences import Crafting
    from uap_core.experiments.detector import NAMES
    from uap_core.plots.defences import detector_figure

    if isinstance(found, Crafting):
        said = _("Crafting {pattern}…").format(pattern=_(NAMES[found.defence]))
        return {"said": progress_note(said, 0.1 + 0.6 * found.share)}
    first, done = found[0], len({row.attack for row in rows})
    note = progress_note(f"{_(NAMES[first.attack])}: AUC {first.auc:.2f}.", 0.1 if done == 1 else 0.6 + 0.08 * done)
    return {"said": note, "chart": show(detector_figure(rows, title)), "csv": _file(rows)}


def _file(rows: Sequence[DetectorRow]) -> Any:
    return show(offer("detector.csv", to_csv(rows).encode()))


def build(studio: Studio, setup: Setup, fold: gr.Accordion) -> None:
    """Lay the section out inside the fold that calls it, and wire it."""
    views = Views(studio)
    gr.Markdown(_("#### Can a pattern be noticed?"))
    stored = _outputs("detector-status", "")
    row = run_row(studio, setup, fold, "detector", _("Measure the detector ({time})"), SECONDS, silent=True)
    live = _outputs("detector-live-status", "-live")
    gr.Markdown(EXPLAIN, latex_delimiters=LATEX, elem_classes="explain")
    keep_fresh(setup, fold, views.stored_detector, [setup.network, setup.pattern], stored)
    row.wire(views.detect, setup.inputs, live, _("Stopped. The curves so far stay."))


def _outputs(state: str, ending: str) -> dict[str, Any]:
    return {
        "said": gr.HTML(elem_id=state),
        "chart": chart(f"detector-chart{ending}"),
        "csv": download(_("These points (.csv)"), f"detector-csv{ending}"),
    }


def noticed(rows: Sequence[DetectorRow]) -> str:
    """What the detector makes of a pattern that does not know it, and of one that does, in a sentence."""
    from uap_core.experiments.detector import AWARE, UNIVERSAL

    plain, aware = (next((row for row in rows if row.attack == attack), None) for attack in (UNIVERSAL, AWARE))
    if plain is None or aware is None:
        return ""
    return _(
        "The pattern has AUC {area:.2f} and fools {fooled:.0%};"
        " one that knows the detector has {aware_area:.2f} and fools {aware_fooled:.0%}."
    ).format(area=plain.auc, fooled=plain.fooled.value, aware_area=aware.auc, aware_fooled=aware.fooled.value)
