"""Why small steps do so much: the logits of the chosen photograph along FGSM's direction, and steps of more and more values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.ui.gallery import photo_name
from uap_core.ui.html.words import plain
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.widgets import awaited, chart, download, offer, show, status

if TYPE_CHECKING:
    from uap_core.experiments.linearity import GrowthRow, LogitRow

SMALL = 1 / 255  # of the steps with more and more values
QUESTION = _(r"""
#### Networks are too straight
Goodfellow et al. (2015) explain adversarial examples by linearity. If a score were $w \cdot x$, the step $-\varepsilon\,
\mathrm{sign}\,w$ would take $\varepsilon\,\|w\|_1$ away: little by little from each pixel, much from all. The first chart walks
both ways along FGSM's direction; its dashed lines are fitted within 2/255, and $R^2$ says how straight the logits are there.
The second lets ever more squares of the picture differ, each by 1/255 and no more, and compares $\varepsilon$ times the
gradient's $\ell_1$ norm with what the lead of the predicted label really loses. The lead is its logit less the next one's.
""")
LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


@dataclass(frozen=True)
class Views:
    """What the view's events answer."""

    studio: Studio

    def straightness(self, photo: str, network: str) -> dict[str, Any]:
        """Both charts of the chosen photograph on the chosen network."""
        from uap_core.experiments.linearity import growth, logits_along
        from uap_core.plots.linearity import growth_figure, logits_figure

        classifier, image = self.studio.classifier(network), self.studio.image(photo, network)
        rows, grown = logits_along(classifier, image), growth(classifier, image, SMALL)
        title = _("{photograph}, seen by {network} (live)").format(
            photograph=photo_name(photo), network=plain(classifier.card.name)
        )
        return {
            "said": status(told(rows, grown)),
            "logits": show(logits_figure(rows, title)),
            "growth": show(growth_figure(grown, title)),
            "logits-csv": show(offer("logits.csv", to_csv(rows).encode())),
            "growth-csv": show(offer("squares.csv", to_csv(grown).encode())),
        }


def told(rows: list[LogitRow], grown: list[GrowthRow]) -> str:
    """How straight, and how much more the finest step takes, in two sentences."""
    from uap_core.experiments.linearity import NEAR, REACH, straight

    label = rows[0].label
    near, far = straight(rows, label, NEAR), straight(rows, label, REACH)
    bent = _("A straight line tells {near:.1%} of the logit of {label} within 2/255, and {far:.1%} within 10/255.")
    most = grown[-1]
    sum_up = _(
        "With {squares} × {squares} squares the step of 1/255 takes {real:.2g} from its lead, where a linear network would lose"
        " {predicted:.2g}; as one square it takes {one:.2g}."
    )
    first = bent.format(near=near.r2, far=far.r2, label=label)
    second = sum_up.format(squares=most.squares, real=most.real, predicted=most.predicted, one=grown[0].real)
    return f"{first} {second}"


def build(studio: Studio, setup: Setup, fold: gr.Accordion) -> None:
    """Lay out the view inside ``fold``, where it is called, and wire it; nothing is computed before that is unfolded."""
    gr.Markdown(QUESTION, latex_delimiters=LATEX, elem_classes="explain")
    places: dict[str, Any] = {"said": gr.HTML(awaited(), elem_id="straight-status")}
    places |= {"logits": chart("straight-logits"), "growth": chart("straight-growth")}
    with gr.Row(elem_classes="downloads"):
        places["logits-csv"] = download(_("The logits (.csv)"), "straight-logits-csv")
        places["growth-csv"] = download(_("The squares (.csv)"), "straight-growth-csv")
    keep_fresh(setup, fold, Views(studio).straightness, [setup.photo, setup.network], places)
