"""The tab Apply: the photograph before and after, what the network says, how small the change is."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import gradio as gr
import numpy as np

from uap_core.experiments.apply import GAIN, Exhibit, amplified, exhibit
from uap_core.experiments.first_view import Opening
from uap_core.i18n import _
from uap_core.ui.makers import USE_OWN, foreign, own_pattern
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.sidebar import Setup, chosen
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.widgets import (
    QUICK,
    bars,
    download,
    facts,
    guarded,
    npy_bytes,
    offer,
    picture_file,
    png_of,
    show,
    size_in_words,
)

EXPLAIN = _(r"""
One fixed pattern $v$ is added to any photograph: $x' = \mathrm{clip}(x + v,\ 0,\ 1)$ with
$\|v\|_\infty \le \varepsilon$ (of an $\ell_2$ pattern, $\|v\|_2 \le \varepsilon$).
It was crafted once, on *other* pictures, so that the network's answer changes on most
of them: $k(x + v) \ne k(x)$ (Moosavi-Dezfooli et al., CVPR 2017). Nothing about the photograph you see was used. Drag
the divider, try another photograph, lower $\varepsilon$ until the answer returns, and compare with random signs of the
same size. Everything here is measured on the very 8-bit picture that the download holds.
""")


def build(studio: Studio, setup: Setup, opening: Opening | None, tab: gr.Tab) -> None:
    """Lay out the tab; it is filled at once when the opening view is known."""
    shown = opening.view if opening else None
    files = _files(shown, opening.change, opening.photo, opening.epsilon) if opening and shown else (None, None)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            slider = gr.ImageSlider(
                (picture_file(shown.clean), picture_file(shown.perturbed)) if shown else None,
                format="png",
                label=_("before | after: drag the divider"),
                buttons=["fullscreen"],
                interactive=False,
                elem_id="before-after",
                elem_classes="pixels",
            )
            with gr.Row():
                png = download(_("Perturbed picture (.png)"), "download-png", files[0])
                npy = download(_("Pattern (.npy)"), "download-npy", files[1])
        with gr.Column(scale=5, min_width=320):
            button = gr.Button(_("Apply"), variant="primary", elem_id="apply")
            verdict = gr.HTML(_verdict(shown) if shown else "", elem_id="verdict")
            before = gr.HTML(_bars(shown, _("Before"), shown.before) if shown else "", elem_id="before")
            after = gr.HTML(_bars(shown, _("After"), shown.after) if shown else "", elem_id="after")
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            picture = gr.Image(
                picture_file(amplified(opening.change)) if opening else None,
                format="png",
                label=_("the pattern, {gain} times stronger, around mid-grey").format(gain=GAIN),
                alt_text=_("The pattern, amplified"),
                interactive=False,
                buttons=["fullscreen"],
                height=300,
                elem_id="pattern-picture",
                elem_classes="pixels",
            )
        with gr.Column(scale=5, min_width=320):
            known = _("precomputed, on {network}").format(network=studio.card(opening.network).name) if opening else ""
            numbers = gr.HTML(_numbers(shown, known) if shown else "", elem_id="numbers")
    gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")

    def apply(photo: str, network: str, pattern: str, own: dict[str, Pattern], epsilon: float) -> tuple[Any, ...]:
        perturbation = chosen(studio, network, pattern, own, epsilon)
        view = exhibit(studio.classifier(network), studio.image(photo, network), perturbation)
        values = perturbation.pattern.numpy()
        return (
            _verdict(view, foreign(studio, network, pattern, own)),
            (picture_file(view.clean), picture_file(view.perturbed)),
            _bars(view, _("Before"), view.before),
            _bars(view, _("After"), view.after),
            picture_file(amplified(values.transpose(1, 2, 0))),
            _numbers(view, _("live, on {network}").format(network=studio.card(network).name)),
            *map(show, _files(view, values.transpose(1, 2, 0), photo, epsilon)),
        )

    outputs = [verdict, slider, before, after, picture, numbers, png, npy]
    button.click(guarded(len(outputs), 0)(apply), setup.inputs, outputs, **QUICK)
    chosen_first = [opening.photo, opening.network, opening.pattern, {}, opening.epsilon] if opening else None
    keep_fresh(setup, tab, apply, setup.inputs, outputs, shown=chosen_first)

    def use_own(network: str, asked: tuple[str, int]) -> tuple[str, int]:
        return own_pattern(studio, network), asked[1] + 1

    setup.turn(USE_OWN).click(use_own, [setup.network, setup.asked], setup.asked, **QUICK)


def _files(view: Exhibit, change: np.ndarray, photo: str, epsilon: float) -> tuple[str, str]:
    """The perturbed picture and the pattern, for whoever wants to keep them."""
    name = f"{photo.partition(':')[2] if photo.startswith('sample') else 'picture'}-eps{epsilon:g}.png"
    values = np.ascontiguousarray(change.transpose(2, 0, 1))
    return offer(name, png_of(view.perturbed)), offer("pattern.npy", npy_bytes(values))


def _verdict(view: Exhibit, foreign_note: str = "") -> str:
    (was, sure), (now, now_sure) = view.before[0], view.after[0]
    if view.linf == 0:
        said = _("No change yet: the network sees <b>{before}</b> ({sure:.0%}).").format(before=escape(was), sure=sure)
        return f'<div class="verdict plain">{said}{foreign_note}</div>'
    if view.fooled:
        said = _("Fooled: <b>{before}</b> became <b>{after}</b>").format(before=escape(was), after=escape(now))
        more = _("{sure:.0%} sure before, {now_sure:.0%} sure of the new label after.")
    else:
        said = _("Not fooled: still <b>{before}</b>").format(before=escape(was))
        more = _("{sure:.0%} sure before, {now_sure:.0%} after.")
    kind, more = "fooled" if view.fooled else "held", more.format(sure=sure, now_sure=now_sure)
    return f'<div class="verdict {kind}">{said}<small>{more}</small>{foreign_note}</div>'


def _bars(view: Exhibit, title: str, rows: list[tuple[str, float]]) -> str:
    return bars(title, rows, view.before[0][0], view.after[0][0])


def _numbers(view: Exhibit, measured: str) -> str:
    decibels = _("infinite (no change)") if math.isinf(view.psnr) else f"{view.psnr:.1f} dB"
    rows = [*size_in_words(view.linf, view.l2), ("PSNR", decibels), ("SSIM", f"{view.ssim:.3f}")]
    return facts([*rows, (_("measured"), measured)])
