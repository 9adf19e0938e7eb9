"""The end of the view of bounds: the direction that the layers stretch most, added to the chosen photograph."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from uap_core.i18n import _
from uap_core.perturbations.library import Entry, library, read_levels
from uap_core.ui.html.words import photographs, plain
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.widgets import picture_link

if TYPE_CHECKING:
    from uap_core.experiments.apply import Exhibit

METHOD = "intrinsic"
QUESTION = _("#### The bound's worst direction, added to a picture")
EXPLAIN = _(r"""
The bound multiplies what each layer stretches at most. Which change $v$ do the layers stretch most, all at once? The power
method finds it from the weights: no picture, no label, no loss. It is an attack for free (IntriUAP, AAAI 2025). The layers are
linearised at a grey picture, and the first half of them counts; the Craft tab makes another one.
""")
LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


@dataclass(frozen=True)
class WorstDirection:
    """What the view's event answers."""

    studio: Studio

    def shown(self, photo: str, network: str) -> dict[str, Any]:
        """The precomputed pattern of this network, the photograph under it, and what it does to photographs."""
        from uap_core.experiments.apply import GAIN, amplified, exhibit

        entry = entry_of(network)
        if entry is None:
            return {"view": said_alone(_("None is precomputed for this network: the Craft tab makes one in seconds."))}
        perturbation = self.studio.perturbation(entry.key, network, {})
        view = exhibit(self.studio.classifier(network), self.studio.image(photo, network), perturbation)
        pattern = amplified(read_levels(entry.path) / 255, GAIN)
        return {"view": html_of(entry, view, pattern, plain(self.studio.card(network).name))}


def entry_of(network: str) -> Entry | None:
    """The pattern of the library that is this network's worst direction."""
    mine = (entry for entry in library() if entry.networks == (network,))
    return next((entry for entry in mine if entry.provenance.get("method") == METHOD), None)


def html_of(entry: Entry, view: Exhibit, pattern: np.ndarray, network: str) -> str:
    """Two pictures and two sentences."""
    from uap_core.experiments.apply import GAIN

    (was, _sure), (now, sure) = view.before[0], view.after[0]
    rates, measured = entry.provenance["held_out"], str(entry.provenance["held_out"]["set"])
    said = _("{network} says {now}, {sure:.0%} sure; before {was}.").format(
        network=escape(network), now=f"<b>{escape(now)}</b>", sure=sure, was=escape(was)
    )
    rate = _("This one pattern fools {rate:.1%} of {images}; random noise of the same strength {noise:.1%} (precomputed).")
    rate = rate.format(rate=rates["fooling_rate"], images=photographs(measured), noise=rates["random_signs"])
    pictures = _figure(pattern, _("The worst direction, {gain} times stronger").format(gain=GAIN))
    pictures += _figure(view.perturbed, _("The photograph with it"))
    return f'<div class="worst">{pictures}<p>{said}</p><p>{escape(rate)}</p></div>'


def said_alone(text: str) -> str:
    """A sentence where there is no picture."""
    return f'<div class="worst"><p>{escape(text)}</p></div>'


def _figure(pixels: Any, name: str) -> str:
    return f'<figure><img alt="{escape(name)}" src="{picture_link(pixels)}"><figcaption>{escape(name)}</figcaption></figure>'


def build(studio: Studio, setup: Setup, fold: gr.Accordion) -> None:
    """Lay out the view inside the fold that calls it, and wire it."""
    gr.Markdown(QUESTION, elem_classes="explain")
    view = gr.HTML(elem_id="worst-direction")
    gr.Markdown(EXPLAIN, latex_delimiters=LATEX, elem_classes="explain")
    keep_fresh(setup, fold, WorstDirection(studio).shown, [setup.photo, setup.network], {"view": view})
