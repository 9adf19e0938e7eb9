"""The tab Training images: how many pictures does it take to find a universal pattern?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from uap_core.i18n import _, ngettext
from uap_core.io.results import Table, to_csv
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.live_sets import offer_where_right
from uap_core.ui.runtime.stop_button import run_until_stopped
from uap_core.ui.session_patterns import add_own
from uap_core.ui.sidebar import Setup, chosen
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.titles import precomputed_on
from uap_core.ui.widgets import (
    QUICK,
    awaited,
    chart,
    download,
    hide,
    npy_bytes,
    offer,
    progress_note,
    show,
    status,
)

EXPLAIN = _(r"""
A pattern is crafted on the first $n$ images of a shuffled set and measured on *other*, held-out images, the same ones
for every $n$; the sets are nested, so a larger one contains the smaller. Each step takes eight images, shows another
part of each, at times mirrored, and descends on
$\tfrac12 |z| \cos(z, z') - \min\big(-\log p_{k(x)}(\mathrm{clip}(x+v)),\ 5 s\big)$: how little the logits $z'$ have turned
away from the clean ones $z$ (of norm $|z|$ and spread $s$), and how likely the clean prediction still is. Then $v$ is
projected, onto $\|v\| \le 2\varepsilon$ at first and ever closer to $\varepsilon$, in the norm of the chosen pattern. No labels
are needed. Few images suffice, because networks share a few directions that matter for most images. The dotted line is
what the paper reports for its own method on another network and other images (its Figure 6): compare the shape, not the
height. Bars span the 95 % Wilson intervals of all seeds. Live points are measured on dreams or on your own pictures,
and crafted with at most 480 image-gradients each; precomputed ones on photographs, with more: compare shapes, not heights.
""")
LIVE_BUDGET, LIVE_FACTOR = 480, 4


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it."""
    note = gr.HTML(awaited(), elem_id="curve-note")
    stored_chart = chart("curve-stored")
    stored_csv = download(_("These points (.csv)"), "curve-stored-csv")
    gr.Markdown(_("#### Craft it yourself"))
    with gr.Row():
        run = gr.Button(_("Craft on 1, 4, 16, … images"), variant="primary", elem_id="curve-run")
        stop = gr.Button(_("Stop"), variant="stop", scale=0, min_width=120, elem_id="curve-stop")
    offer_where_right(studio, setup, tab, [run], "curve-live-note")
    state = gr.HTML(elem_id="curve-status")
    live_chart = chart("curve-chart")
    with gr.Row():
        csv = download(_("These points (.csv)"), "curve-csv")
        npy = download(_("Latest pattern (.npy)"), "curve-npy")
    made = gr.State(())  # the patterns of a run, until it ends
    gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")

    def stored(network: str) -> tuple[Any, Any, Any]:
        from uap_core.experiments.sample_curve import SampleRow
        from uap_core.plots.axes import BLUE, GREEN, ORANGE
        from uap_core.plots.samples import Curve, sample_figure

        real = studio.precomputed(f"{network}-curve-real", SampleRow)
        dreams = studio.precomputed(f"{network}-curve-dreams", SampleRow)
        deepfool = studio.precomputed(f"{network}-curve-deepfool", SampleRow)
        if real is None:
            return status(_("No precomputed curve for this network.")), hide(), hide()
        curves = [Curve(real.rows, _("crafted on photographs {seeds}").format(seeds=_seeds(real)), BLUE)]
        if dreams is not None:
            curves.append(Curve(dreams.rows, _("crafted on dreams {seeds}").format(seeds=_seeds(dreams)), ORANGE, "s"))
        if deepfool is not None:
            curves.append(
                Curve(deepfool.rows, _("on photographs, by DeepFool {seeds}").format(seeds=_seeds(deepfool)), GREEN, "^")
            )
        text = _("Precomputed, {date}: every point is measured on {images}.").format(
            date=real.provenance["time"][:10], images=real.provenance["held_out"]
        )
        tables = {"photographs": real, "dreams": dreams, "photographs by DeepFool": deepfool}
        csv_file = offer("sample-curve.csv", _csv(tables).encode())
        figure = drawn_once(
            sample_figure,
            curves,
            precomputed_on(studio, network, real.rows[0].held_out_rate.total),
            random_signs=_stored_baseline(studio, network),
        )
        return status(text), show(figure), show(csv_file)

    def craft(network: str, pattern: str, own: dict[str, Pattern], epsilon: float) -> Iterator[tuple[Any, ...]]:
        import torch

        from uap_core.crafting.default import Default
        from uap_core.crafting.problem import predicted
        from uap_core.errors import SettingError
        from uap_core.experiments.sample_curve import nested_sizes, sample_curve
        from uap_core.metrics import fooling_rate, predict
        from uap_core.models.bf16 import has_fast_bf16
        from uap_core.plots.axes import ORANGE
        from uap_core.plots.samples import Curve, sample_figure

        skip = (gr.skip(),) * 4
        yield progress_note(_("Opening network and images…"), 0), *skip
        ball = chosen(studio, network, pattern, own, epsilon).ball
        if not ball.radius:
            raise SettingError(_("Crafting needs an epsilon above 0. Move the epsilon slider."))
        classifier = studio.classifier(network)
        craft_set, held_out = studio.craft_and_held_out(network)
        sizes = nested_sizes(len(craft_set), LIVE_FACTOR)
        title = _("{network}, {ball}, {count} held-out {images} (live)").format(
            network=classifier.card.name, ball=ball, count=len(held_out), images=studio.live_set_name(network)
        )
        yield progress_note(_("Looking at {count} held-out images as they are…").format(count=len(held_out)), 0), *skip
        clean = predict(classifier, held_out.batches())
        yield progress_note(_("Looking at them under random signs…"), 0), *skip
        signs = ball.random_signs((3, classifier.size, classifier.size), torch.Generator().manual_seed(0))
        baseline = fooling_rate(clean, predicted(classifier, held_out.pixels, signs)).value
        patterns: dict[int, Any] = {}
        found: tuple[Pattern, ...] = ()
        rows = []
        method = Default(budget=LIVE_BUDGET, bf16=has_fast_bf16())
        for row in sample_curve(classifier, method, craft_set, held_out, ball, sizes, 0, patterns, clean):
            place = sizes.index(row.images)
            if not row.done:
                text = _("Crafting on {done} of {count} images…").format(done=row.images, count=len(craft_set))
                yield progress_note(text, (place + row.share) / len(sizes)), *skip
                continue
            rows.append(row)
            values = patterns[row.images].numpy()
            name = _("crafted on {count} {images} for {network}, {ball}").format(
                count=row.images,
                images=studio.live_set_name(network, row.images),
                network=classifier.card.name,
                ball=ball,
            )
            found = (*found, Pattern(name, values, ball.p, ball.radius, origin="run"))
            yield (
                progress_note(
                    ngettext(
                        "{count} image: {rate} of the held-out images fooled.",
                        "{count} images: {rate} of the held-out images fooled.",
                        row.images,
                    ).format(count=row.images, rate=row.held_out_rate),
                    (place + 1) / len(sizes),
                ),
                show(sample_figure([Curve(rows, _("live"), ORANGE)], title, paper=ball.p == "linf", random_signs=baseline)),
                show(offer("live-curve.csv", to_csv(rows).encode())),
                show(offer("pattern.npy", npy_bytes(values))),
                found,
            )
        text = _(
            "Done. The pattern crafted on {count} images is now in the list of perturbations: choose it and apply it."
        ).format(count=sizes[-1])
        yield status(text), *skip

    def keep(network: str, key: str, own: dict[str, Pattern], found: tuple[Pattern, ...]) -> tuple[Any, ...]:
        """Beside what the visitor has by now, which may be more than when the run began."""
        for pattern in found:
            own = add_own(own, pattern, key)
        return own, gr.update(choices=studio.patterns(network, own)), ()

    outputs = [state, live_chart, csv, npy, made]
    choices = [setup.network, setup.pattern, setup.own, setup.epsilon]
    stopped = _("Stopped. The points so far stay, and so does the last pattern.")
    running = run_until_stopped(run, stop, studio.heavy(5, 0)(craft), choices, outputs, stopped)
    running.then(keep, [setup.network, setup.pattern, setup.own, made], [setup.own, setup.pattern, made], **QUICK)
    keep_fresh(setup, tab, stored, [setup.network], [note, stored_chart, stored_csv])


def _seeds(table: Table) -> str:
    count = len({row.seed for row in table.rows})
    return ngettext("({count} seed)", "({count} seeds)", count).format(count=count)


def _stored_baseline(studio: Studio, network: str) -> float | None:
    """The fooling rate of random signs at 10/255, from the precomputed sweep on the same images."""
    from uap_core.experiments.epsilon_sweep import RANDOM, SweepRow

    table = studio.precomputed(f"{network}-sweep", SweepRow)
    rows = table.rows if table else []
    return next((row.fooling_rate.value for row in rows if row.attack == RANDOM and round(row.epsilon * 255) == 10), None)


def _csv(tables: dict[str, Table | None]) -> str:
    """The rows of several curves under one header, each line beginning with what it was crafted on."""
    lines: list[str] = []
    for name, table in tables.items():
        if table is not None:
            header, *rows = to_csv(table.rows).splitlines()
            lines += [f"crafted_on,{header}"] * (not lines) + [f"{name},{row}" for row in rows]
    return "\n".join(lines) + "\n"
