"""The pattern in the middle and all photographs around it; and the sum photograph + pattern = another label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from uap_core.i18n import _
from uap_core.ui.gallery import photo_choices
from uap_core.ui.html.words import plain
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.selection import Selection, of_selection
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.tabs.apply.under import seen_under
from uap_core.ui.widgets import awaited, picture_link, status

if TYPE_CHECKING:
    from uap_core.experiments.apply import Exhibit
    from uap_core.experiments.pattern_alone import Alone

EXPLAIN = _("""
Universal means: one pattern, whatever the photograph. Above, the sum of the chosen photograph and the pattern, each with what
the network says of it; the pattern is shown ten times stronger, and its own label is that of the pattern as it is on plain
grey. Below, the same pattern in the middle, and every sample photograph with it.
""")


@dataclass(frozen=True)
class Views:
    """What the view's events answer."""

    studio: Studio

    @of_selection
    def around(self, chosen: Selection) -> dict[str, Any]:
        """The sum of the chosen photograph, and the ring of all."""
        from uap_core.experiments.pattern_alone import pattern_alone

        studio, network = self.studio, chosen.network
        perturbation, classifier = chosen.perturbation(studio), studio.classifier(network)
        unscaled = chosen.unscaled(studio)
        others = [photo for _name, photo in photo_choices() if photo != chosen.photo]
        views = [seen_under(classifier, photo, unscaled, chosen.epsilon) for photo in (chosen.photo, *others)]
        alone = pattern_alone(classifier, perturbation)
        values = perturbation.pattern.numpy().transpose(1, 2, 0)
        said = status(told(views, alone, plain(classifier.card.name)))
        return {"said": said, "sum": sum_html(views[0], alone, values), "ring": ring_html(views, values)}


def told(views: Sequence[Exhibit], alone: Alone, network: str) -> str:
    """How many photographs change their label, into what, and what the pattern is by itself."""
    fooled = Counter(view.after[0][0] for view in views if view.fooled)
    first = _("{network} gives another label to {count} of {total} photographs.").format(
        network=network, count=fooled.total(), total=len(views)
    )
    most = fooled.most_common(1)
    often = _("Most often it is {label}, {count} times.").format(label=most[0][0], count=most[0][1]) if most else ""
    same = bool(most) and most[0][0] == alone.label
    form = _("So is the pattern alone.") if same else _("The pattern alone is {label} to it, {sure:.0%} sure.")
    return " ".join(filter(None, [first, often, form.format(label=alone.label, sure=alone.probability)]))


def sum_html(view: Exhibit, alone: Alone, values: np.ndarray) -> str:
    """Photograph + pattern = photograph with it, and under each what the network says."""
    from uap_core.experiments.apply import amplified

    parts = (
        _figure(view.clean, _("the photograph"), *view.before[0]),
        '<span class="sign">+</span>',
        _figure(amplified(values), _("the pattern, ten times stronger"), alone.label, alone.probability),
        '<span class="sign">=</span>',
        _figure(view.perturbed, _("both"), *view.after[0], kind="fooled" if view.fooled else ""),
    )
    return f'<div class="sum">{"".join(parts)}</div>'


def ring_html(views: Sequence[Exhibit], values: np.ndarray) -> str:
    """The pattern between two columns of photographs with it, label to label."""
    from uap_core.experiments.apply import amplified

    half = -(-len(views) // 2)
    left, right = ("".join(map(_around, part)) for part in (views[:half], views[half:]))
    alt = escape(_("the pattern, ten times stronger"))
    middle = f'<div class="middle"><img alt="{alt}" src="{picture_link(amplified(values))}"></div>'
    return f'<div class="ring"><div>{left}</div>{middle}<div>{right}</div></div>'


def _figure(pixels: np.ndarray, name: str, label: str, sure: float, kind: str = "") -> str:
    form = _("{sure:.0%} sure")
    said = f"<b>{escape(label)}</b> <small>{form.format(sure=sure)}</small>"
    picture = f'<img alt="{escape(name)}" src="{picture_link(pixels)}">'
    return f'<figure class="{kind}">{picture}<figcaption>{said}<small>{escape(name)}</small></figcaption></figure>'


def _around(view: Exhibit) -> str:
    before, after = escape(view.before[0][0]), escape(view.after[0][0])
    words = f"{before} → <b>{after}</b>" if view.fooled else _("{label}, as before").format(label=before)
    alt = escape(_("a photograph with the pattern"))
    kind = "fooled" if view.fooled else ""
    picture = f'<img alt="{alt}" src="{picture_link(view.perturbed)}">'
    return f'<figure class="{kind}">{picture}<figcaption>{words}</figcaption></figure>'


def build(studio: Studio, setup: Setup) -> None:
    """Lay out the fold and wire it; nothing is computed before it is unfolded."""
    with gr.Accordion(_("On all photographs at once"), open=False, elem_id="around") as fold:
        places = {"said": gr.HTML(awaited(), elem_id="around-status"), "sum": gr.HTML(elem_id="around-sum")}
        places["ring"] = gr.HTML(elem_id="around-ring")
        gr.Markdown(EXPLAIN, elem_classes="explain")
    keep_fresh(setup, fold, Views(studio).around, setup.inputs, places)
