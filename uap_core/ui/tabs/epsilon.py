"""The tab Epsilon: how strong must the pattern be? Over a set of images, and for the chosen photograph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.ui.gallery import photo_name
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.live_sets import offer_where_right
from uap_core.ui.runtime.stop_button import run_until_stopped
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.titles import precomputed_on
from uap_core.ui.widgets import awaited, chart, download, hide, offer, progress_note, show, status

EXPLAIN = _(r"""
The **fooling rate** is the share of images whose answer changes, $P[\,k(x+v) \ne k(x)\,]$: no true label enters, so
$\varepsilon = 0$ gives exactly 0 %. The *universal* pattern is scaled to each $\varepsilon$; *random signs* have the
same size and no knowledge; *FGSM* makes a new step for each image,
$x + \varepsilon\,\mathrm{sign}\,\nabla_x J(x, k(x))$ (Goodfellow et al., 2015). Bands are 95 % Wilson intervals. One
pattern for all images needs a larger $\varepsilon$ than a step made for each, and then comes close to it. Live
points are measured on dreams or on your own pictures, precomputed ones on photographs: compare shapes, not heights.
""")
LIVE_IMAGES = 128


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it."""
    gr.Markdown(_("#### Over many images"))
    with gr.Row():
        run = gr.Button(_("Measure now"), variant="primary", elem_id="sweep-run")
        stop = gr.Button(_("Stop"), variant="stop", scale=0, min_width=120, elem_id="sweep-stop")
    offer_where_right(studio, setup, tab, [run], "sweep-live-note")
    state = gr.HTML(awaited(), elem_id="sweep-status")
    figure = chart("sweep-chart")
    csv = download(_("These points (.csv)"), "sweep-csv")
    gr.Markdown(_("#### The chosen photograph"))
    photo_note = gr.HTML(awaited(), elem_id="photo-chart-note")
    photo_chart = chart("photo-chart")
    photo_csv = download(_("These points (.csv)"), "photo-csv")
    gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")

    def stored(network: str, pattern: str) -> tuple[Any, Any, Any]:
        """The precomputed sweep on real images, where there is one for this network and pattern."""
        from uap_core.experiments.epsilon_sweep import SweepRow
        from uap_core.plots.epsilon import sweep_figure

        table = studio.precomputed(f"{network}-sweep", SweepRow)
        if table is None or pattern != table.provenance["pattern_file"]:
            return status(_("No precomputed sweep for this choice.")), hide(), hide()
        note = _("Precomputed on {images}, {date}.").format(
            images=table.provenance["held_out"], date=table.provenance["time"][:10]
        )
        figure = drawn_once(sweep_figure, table.rows, precomputed_on(studio, network, table.rows[0].fooling_rate.total))
        return status(note), show(figure), show(offer("sweep.csv", to_csv(table.rows).encode()))

    def photo_curve(photo: str, network: str, pattern: str, own: dict[str, Pattern]) -> tuple[Any, ...]:
        from uap_core.experiments.epsilon_sweep import default_epsilons, photo_sweep
        from uap_core.plots.epsilon import photo_figure

        perturbation, image = studio.perturbation(pattern, network, own), studio.image(photo, network)
        classifier = studio.classifier(network)
        rows = photo_sweep(classifier, perturbation, image, default_epsilons(perturbation.ball))
        title = _("{photograph} under {pattern}, seen by {network} (live)").format(
            photograph=photo_name(photo), pattern=perturbation.name, network=classifier.card.name
        )
        figure = photo_figure(rows, title)
        return "", show(figure), show(offer("photograph.csv", to_csv(rows).encode()))

    def measure(
        photo: str, network: str, pattern: str, own: dict[str, Pattern], epsilon: float
    ) -> Iterator[tuple[Any, Any, Any]]:
        import torch

        from uap_core.experiments.epsilon_sweep import NAMES, SweepRow, default_epsilons, epsilon_sweep
        from uap_core.plots.epsilon import sweep_figure

        yield progress_note(_("Opening network and images…"), 0), gr.skip(), gr.skip()
        classifier, perturbation = studio.classifier(network), studio.perturbation(pattern, network, own)
        held_out = studio.some(network, 0, LIVE_IMAGES)[1]
        epsilons = default_epsilons(perturbation.ball)
        title = _("{pattern} on {network}: {count} {images}").format(
            pattern=perturbation.name, network=classifier.card.name, count=len(held_out), images=studio.live_set_name(network)
        )
        rows: list[SweepRow] = []
        for row in epsilon_sweep(classifier, perturbation, held_out, torch.Generator().manual_seed(0), epsilons):
            rows.append(row)
            if row.epsilon:  # at 0 there is nothing to see yet
                note = progress_note(
                    _("Live: {attack}, epsilon {epsilon:g}/255.").format(
                        attack=_(NAMES[row.attack]), epsilon=row.epsilon * 255
                    ),
                    len(rows) / (3 * len(epsilons)),
                )
                drawn = sweep_figure(rows, _("{title} (live)").format(title=title))
                yield note, show(drawn), show(offer("sweep.csv", to_csv(rows).encode()))
        text = _("Live: {values} values of epsilon measured on {count} {images}.").format(
            values=len(epsilons), count=len(held_out), images=studio.live_set_name(network)
        )
        yield status(text), gr.skip(), gr.skip()

    outputs = [state, figure, csv]
    stopped = _("Stopped. The points so far stay.")
    run_until_stopped(run, stop, studio.heavy(3, 0)(measure), setup.inputs, outputs, stopped)
    keep_fresh(setup, tab, stored, [setup.network, setup.pattern], outputs)
    keep_fresh(setup, tab, photo_curve, setup.inputs[:4], [photo_note, photo_chart, photo_csv])
