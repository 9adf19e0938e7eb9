"""Under the first view: the five likeliest labels, how far the pictures are apart, files to keep, the formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import gradio as gr
import numpy as np

from uap_core.experiments.apply import GAIN, Exhibit, amplified
from uap_core.experiments.first_view import Opening
from uap_core.i18n import _
from uap_core.ui.html.evaluations import beyond_facts
from uap_core.ui.html.numbers import bars, facts, size_in_words
from uap_core.ui.html.words import photographs, plain
from uap_core.ui.selection import Selection
from uap_core.ui.state import Studio
from uap_core.ui.tabs.apply.view import Looked, looked
from uap_core.ui.widgets import download, npy_bytes, offer, picture_file, png_of, show

EXPLAIN = _(r"""
One fixed pattern $v$ is added to any photograph: $x' = \mathrm{clip}(x + v,\ 0,\ 1)$ with
$\|v\|_\infty \le \varepsilon$ (of an $\ell_2$ pattern, $\|v\|_2 \le \varepsilon$).
It was crafted once, on *other* pictures, so that the network's answer changes on most
of them: $k(x + v) \ne k(x)$ (Moosavi-Dezfooli et al., CVPR 2017). Nothing about the photograph you see was used.
Everything here is measured on the very 8-bit picture that the download holds.
""")


def build(studio: Studio, opening: Opening | None) -> dict[str, Any]:
    """Lay out the details; returns what ``filled`` fills."""
    shown = opening.view if opening else None
    now = looked(shown.clean, opening.scaled, studio.card(opening.network)) if opening and shown else None
    ready = _values(shown, now, opening.photo, opening.epsilon) if shown and now and opening else (None,) * 6
    known = _("precomputed, on {network}").format(network=plain(studio.card(opening.network).name)) if opening else ""
    with gr.Row(equal_height=False, elem_id="details"):
        with gr.Column(scale=5, min_width=300):
            before = gr.HTML(ready[0] or "", elem_id="before")
            after = gr.HTML(ready[1] or "", elem_id="after")
        with gr.Column(scale=4, min_width=300):
            first = beyond(studio, opening.network, opening.pattern) if opening else []
            numbers = gr.HTML(_numbers(shown, known, first) if shown else "", elem_id="numbers")
            with gr.Row(elem_classes="downloads"):
                png = download(_("Perturbed picture (.png)"), "download-png", ready[3])
                npy = download(_("Pattern (.npy)"), "download-npy", ready[4])
        with gr.Column(scale=3, min_width=240):
            picture = gr.Image(
                ready[2],
                format="png",
                label=_("the pattern, {gain} times stronger, around mid-grey").format(gain=GAIN),
                alt_text=_("The pattern, amplified"),
                interactive=False,
                buttons=["fullscreen"],
                height=240,
                elem_id="pattern-picture",
                elem_classes="pixels",
            )
    gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")
    return {"before": before, "after": after, "picture": picture, "png": png, "npy": npy, "numbers": numbers}


def filled(view: Exhibit, now: Looked, chosen: Selection, studio: Studio) -> dict[str, Any]:
    """The details of a view that was just measured."""
    network, told = plain(now.card.name), beyond(studio, chosen.network, chosen.pattern)
    before, after, picture, png, npy = _values(view, now, chosen.photo, chosen.epsilon)
    found = {"before": before, "after": after, "picture": picture, "png": show(png), "npy": show(npy)}
    return found | {"numbers": _numbers(view, _("live, on {network}").format(network=network), told)}


def _values(view: Exhibit, now: Looked, photo: str, epsilon: float) -> tuple[str, ...]:
    change = now.change.at(epsilon) / 255
    name = f"{photo.partition(':')[2] if photo.startswith('sample') else 'picture'}-eps{epsilon:g}.png"
    return (
        bars(_("Without the pattern"), view.before, view.before[0][0], view.after[0][0]),
        bars(_("With the pattern"), view.after, view.before[0][0], view.after[0][0]),
        picture_file(amplified(change)),
        offer(name, png_of(view.perturbed)),
        offer("pattern.npy", npy_bytes(np.ascontiguousarray(change.transpose(2, 0, 1)))),
    )


def beyond(studio: Studio, network: str, pattern: str) -> list[tuple[str, str]]:
    """Of a ready-made pattern on its own network, at its own strength: what was measured of it on photographs."""
    from uap_core.experiments.evaluation_rows import EvaluationRow

    table = studio.precomputed(f"{network}-evaluations", EvaluationRow)
    rows = [row for row in table.rows if row.pattern == pattern] if table else []
    if not rows or not studio.card(network).is_weights(table.provenance["weights_sha256"]):
        return []
    told = (_("at its own strength, on"), photographs(table.provenance["held_out"]))
    return [told, (_("fooled"), f"{rows[0].fooling_rate.value:.1%}"), *beyond_facts(rows[0])]


def _numbers(view: Exhibit, measured: str, told: Sequence[tuple[str, str]]) -> str:
    decibels = _("no change") if math.isinf(view.psnr) else f"{view.psnr:.1f} dB"
    side = view.clean.shape[0]
    rows = [*size_in_words(view.linf, view.l2), ("PSNR", decibels), ("SSIM", f"{view.ssim:.3f}")]
    rows.append((_("picture"), _("{side} × {side} pixels, as shown and as saved").format(side=side)))
    return facts([*rows, (_("measured"), measured), *told])
