"""A section of the tab Library: how fast each method finds a pattern, and what each part of ours is worth."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from uap_core.i18n import _
from uap_core.perturbations.library import library
from uap_core.ui.html.tables import head, wide
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.list_choice import on_choice
from uap_core.ui.runtime.named_outputs import filling
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.titles import network_name, precomputed_on
from uap_core.ui.widgets import QUICK, chart, hide, show, status


@dataclass(frozen=True)
class Views:
    """What the section's events answer."""

    studio: Studio

    def curves(self, key: str) -> dict[str, Any]:
        """No sentence, and both charts of a network."""
        return {"note": "", "fast": _convergence(self.studio, key), "few": _samples(self.studio, key)}

    def ablations(self) -> dict[str, Any]:
        """The table of parts."""
        return {"parts": _ablations(self.studio)}


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    views, subjects = Views(studio), _subjects(studio)
    gr.Markdown(_("#### How fast each method finds a pattern"), visible=bool(subjects))
    subject = gr.Dropdown(subjects, label=_("Curves of"), interactive=True, visible=bool(subjects), elem_id="library-subject")
    note = gr.HTML()
    fast = chart("library-convergence")
    few = chart("library-samples")
    gr.Markdown(_("#### What each ingredient contributes"))
    parts = gr.HTML(elem_id="library-ablations")
    tab.select(filling(views.ablations, {"parts": parts}), None, [parts], **QUICK)
    places = {"note": note, "fast": fast, "few": few}
    for event in (tab.select, on_choice(setup, subject)):
        event(filling(views.curves, places), subject, list(places.values()), **QUICK)


def _ablations(studio: Studio) -> str:
    """Variants in rows, networks in columns: mean rates over the seeds."""
    from uap_core.experiments.ablations import CRAFTED_ON, AblationRow, mean_rates, variant_name
    from uap_core.experiments.networks import IMAGENET
    from uap_core.models.zoo import QUICK_MODEL

    found = {key: studio.precomputed(f"{key}-ablations", AblationRow) for key in (QUICK_MODEL, *IMAGENET)}
    tables = {network_name(studio, key): table for key, table in found.items() if table and table.rows}
    if not tables:
        return status(_("Not computed yet."))
    means = {network: mean_rates(table.rows) for network, table in tables.items()}
    body = "".join(
        f"<tr><th scope='row'>{escape(variant_name(variant))}</th>"
        f"{''.join(_share(rates.get(variant)) for rates in means.values())}</tr>"
        for variant in dict.fromkeys(variant for rates in means.values() for variant in rates)
    )
    costs = [row.image_gradients for table in tables.values() for row in table.rows]
    note = _(
        "Fooling rate of patterns crafted at {least} to {most} image-gradients on"
        " {count} images, measured on others of the craft set; means of {seeds} seeds, precomputed"
        " {date}. Each line is this project’s method with one part changed, the last ones the paper's."
    ).format(
        least=min(costs),
        most=max(costs),
        count=CRAFTED_ON,
        seeds=next(iter(tables.values())).provenance["seeds"],
        date=max(table.provenance["time"] for table in tables.values())[:10],
    )
    columns = head((_("variant"), *means))
    table = f'<table class="matrix">{columns}{body}</table>'
    return status(note) + wide(_("What each part is worth"), table)


def _share(rate: float | None) -> str:
    return "<td></td>" if rate is None else f'<td style="--rate: {100 * rate:.0f}%">{rate:.1%}</td>'


def _subjects(studio: Studio) -> list[tuple[str, str]]:
    """(name, key) of the networks that have precomputed curves, told from the library's patterns."""
    from uap_core.io.paths import RESULTS

    single = dict.fromkeys(entry.networks[0] for entry in library() if len(entry.networks) == 1)
    return [(network_name(studio, key), key) for key in single if (RESULTS / f"{key}-convergence.json").is_file()]


def _convergence(studio: Studio, key: str) -> Any:
    from uap_core.experiments.convergence import ConvergenceRow
    from uap_core.plots.convergence import convergence_figure

    table = studio.precomputed(f"{key}-convergence", ConvergenceRow) if key else None
    if not table or not table.rows:
        return hide()
    title = precomputed_on(studio, key, table.rows[0].held_out_rate.total)
    return show(drawn_once(convergence_figure, table.rows, title))


def _samples(studio: Studio, key: str) -> Any:
    from uap_core.experiments.sample_curve import SampleRow
    from uap_core.plots.axes import BLUE, GREEN
    from uap_core.plots.samples import Curve, sample_figure

    curves = []
    title = ""
    shown = (("real", _("by this project’s method"), BLUE, "o"), ("deepfool", _("by DeepFool, at no more cost"), GREEN, "^"))
    for name, *words in shown:
        table = studio.precomputed(f"{key}-curve-{name}", SampleRow) if key else None
        if table and table.rows:
            curves.append(Curve(table.rows, *words))
            title = precomputed_on(studio, key, table.rows[0].held_out_rate.total)
    return show(drawn_once(sample_figure, curves, title)) if curves else hide()
