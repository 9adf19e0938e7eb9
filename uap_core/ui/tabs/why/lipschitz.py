"""A view of the Why tab: how far can a change of the picture move the logits, and what does that certify?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.ui.html.tables import head, line, wide
from uap_core.ui.html.words import photographs, plain
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.run import run_row
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.why import cone
from uap_core.ui.widgets import awaited, chart, download, hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.experiments.certified_radius import LayerRow, RadiusRow
    from uap_core.models.classifier import Classifier

QUESTION = _(r"""
#### Can one prove that small changes do no harm?
$\|\varphi(x) - \varphi(x+r)\|_2 \le L\,\|r\|_2$ with $L = \prod_k L_k$, one factor a layer. Then no $\|r\|_2 <
(z_{1} - z_{2}) / (\sqrt{2}\,L)$ can alter the label of a picture whose two highest logits are $z_1$ and $z_2$.
""")
EXPLAIN = _(r"""
**How is a layer's bound found?** A fully connected layer stretches a change by at most the largest singular value of its
matrix. A convolution with stride $s$ is, on a circle, one matrix of $s^2$ folded Fourier coefficients for each frequency; the
largest singular value of all of them is the *bound*, and it holds for the layer with zeros around as well. The *real size*
column is the power method on that very layer, an estimate from below: where both agree, the bound is as good as it can be. ReLU
stretches nothing, a 3x3 max pool at stride 2 by 2 (a pixel can lie in four windows). Branches that are added add their
bounds, branches that are put side by side add them in squares. The normalisation of the input counts, since changes are
measured on pixels.

**Why does a large bound prove nothing?** It assumes that the worst directions of all layers meet in one change, which they
hardly ever do. A network with a small $L$ has no adversarial example within reach, and that is proved; one with a large $L$
may have some or none. Szegedy et al. (2013) found 2.75, 10, 7, 7.5, 11, 3.12, 4 and 4 for the layers of AlexNet: each is
modest, their product, 800 000, is not.

**What do bounds not explain?** They are of one network, and know of no other. That the same change fools networks with other
layers, and networks that learnt from other pictures (Transfer, *Across training sets*), no bound foresees. Nor do they say
which change it is, why so few labels come out, or why one change works for many pictures.
""")
LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]
HEAD = (_("Layer"), _("Kind"), _("Weights"), _("Stride"), _("Bound"), _("Real size"), _("Up to here"))
NOTHING = _("No precomputed bounds for this network: a run computes them.")


EMPTY: dict[str, Any] = {"table": "", **dict.fromkeys(("layers", "alexnet", "radii", "layers-csv", "pictures-csv"), hide())}
SECONDS = (20.0, 60.0)  # of a run on small and on large networks


@dataclass(frozen=True)
class Views:
    """What the view's events answer."""

    studio: Studio

    def stored_bounds(self, network: str) -> dict[str, Any]:
        """What was precomputed for this network, if anything was."""
        from uap_core.experiments.certified_radius import LayerRow, RadiusRow, conclusion

        layers = self.studio.precomputed(f"{network}-lipschitz", LayerRow)
        pictures = self.studio.precomputed(f"{network}-certified", RadiusRow)
        card = self.studio.card(network)
        if layers is None or pictures is None or not card.is_weights(layers.provenance["weights_sha256"]):
            return EMPTY | {"said": status(NOTHING)}
        made = _("Precomputed {date}, on {images}.").format(
            date=pictures.provenance["time"][:10], images=photographs(pictures.provenance["held_out"])
        )
        name, worth = plain(card.name), conclusion(layers.rows[-1].running, pictures.rows)
        return finished(f"{made} {name}: {worth}", name, layers.rows, pictures.rows)

    def measure(self, network: str) -> Iterator[dict[str, Any]]:
        """The layers as they are bounded, then the pictures."""
        from uap_core.experiments.certified_radius import LayerRow, RadiusRow, conclusion

        yield EMPTY | {"said": progress_note(_("Opening the network…"), 0)}
        classifier, layers, pictures = self.studio.classifier(network), list[LayerRow](), list[RadiusRow]()
        yield from _bounding(classifier, layers)
        name = plain(classifier.card.name)
        drawn = finished(_("The layers are bounded; opening the images…"), name, layers, [])
        yield drawn | {"radii": hide(), "pictures-csv": hide()}
        yield from _attacking(self.studio.craft_and_held_out(network)[1], classifier, layers, pictures)
        worth, seen = conclusion(layers[-1].running, pictures), self.studio.live_set_name(network)
        said = _("Live on {count} {images}: {conclusion}").format(count=len(pictures), images=seen, conclusion=worth)
        yield finished(said, name, layers, pictures)


def build(studio: Studio, setup: Setup, fold: gr.Accordion) -> None:
    """Lay out the view inside the fold that calls it, and wire it."""
    views = Views(studio)
    gr.Markdown(QUESTION, latex_delimiters=LATEX, elem_classes="explain")
    gr.HTML(cone.picture())
    stored = _outputs("")
    row = run_row(studio, setup, fold, "lipschitz", _("Bound this network now ({time})"), SECONDS, silent=True)
    live = _outputs("-live")
    gr.Markdown(EXPLAIN, latex_delimiters=LATEX, elem_classes="explain")
    keep_fresh(setup, fold, views.stored_bounds, [setup.network], stored)
    row.wire(views.measure, [setup.network], live, _("Stopped. The layers so far stay."))


def _outputs(ending: str) -> dict[str, Any]:
    """A sentence, the table, two charts and two files."""
    said = gr.HTML("" if ending else awaited(), elem_id=f"lipschitz{ending}-status")
    charts = {what: chart(f"lipschitz-{what}-chart{ending}") for what in ("layers", "alexnet", "radii")}
    with gr.Row():
        files = {
            "layers-csv": download(_("The layers (.csv)"), f"lipschitz-csv{ending}"),
            "pictures-csv": download(_("The pictures (.csv)"), f"certified-csv{ending}"),
        }
    return {"said": said, "table": gr.HTML(elem_id=f"lipschitz-table{ending}"), **charts, **files}


def _bounding(classifier: Classifier, layers: list[LayerRow]) -> Iterator[dict[str, Any]]:
    """Steps of the run that fill ``layers``."""
    import torch

    from uap_core.experiments.certified_radius import layer_rows

    weights, pace = max(1, sum(weight.dim() > 1 for weight in classifier.parameters())), Pace()
    for layer in layer_rows(classifier, torch.Generator().manual_seed(0)):
        layers.append(layer)
        done = min(weights, sum(bool(row.shape) for row in layers))
        said = _("Live: {layer}, up to here {bound:.3g}").format(layer=layer.label, bound=layer.running)
        csv = show(offer("lipschitz.csv", to_csv(layers).encode()))
        yield {"said": pace.note(done, weights, said), "table": layers_table(layers), "layers-csv": csv}


def _attacking(
    held_out: ImageSet, classifier: Classifier, layers: list[LayerRow], pictures: list[RadiusRow]
) -> Iterator[dict[str, Any]]:
    """Steps of the run that fill ``pictures``."""
    import torch

    from uap_core.experiments.certified_radius import IMAGES, radii

    images, pace = held_out.shuffled(torch.Generator().manual_seed(0)).prefix(IMAGES), Pace()
    for row in radii(classifier, images, layers[-1].running):
        pictures.append(row)
        yield {"said": pace.note(len(pictures), len(images), _("Live: images attacked"))}


def finished(said: str, name: str, layers: Sequence[LayerRow], pictures: Sequence[RadiusRow]) -> dict[str, Any]:
    """Everything that is shown once all rows are there."""
    from uap_core.plots.lipschitz import beside_alexnet_figure, layers_figure, radii_figure

    bound = layers[-1].running
    together = _("{network}: bounds of the layers, together {bound:.2g}").format(network=name, bound=bound)
    beside = _("{network} beside AlexNet").format(network=name)
    certified = _("{network}: what the bound certifies, what an attack needs").format(network=name)
    return {
        "said": status(said),
        "table": layers_table(layers),
        "layers": show(drawn_once(layers_figure, layers, together)),
        "alexnet": show(drawn_once(beside_alexnet_figure, layers, name, beside)),
        "radii": show(drawn_once(radii_figure, pictures, certified)) if bound < math.inf else hide(),
        "layers-csv": show(offer("lipschitz.csv", to_csv(layers).encode())),
        "pictures-csv": show(offer("certified.csv", to_csv(pictures).encode())),
    }


def layers_table(rows: Sequence[LayerRow]) -> str:
    """A line a layer; where no bound is known, the reason stands below its kind."""
    return wide(_("Bounds of the layers"), f'<table class="layers">{head(HEAD)}{"".join(map(_line, rows))}</table>')


def _line(row: LayerRow) -> str:
    why = f"<small>{escape(row.reason)}</small>" if row.note else ""
    words = (escape(row.kind_name) + why, escape(row.shape), escape(row.stride))
    numbers = (_number(row.bound), _number(row.real), _number(row.running))
    return line(escape(row.label), (*words, *numbers))


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if value < math.inf else _("not known")
