"""The tab Epsilon: how strong must the pattern be? Over a set of images, and for the chosen photograph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.i18n import _
from uap_core.io.results import Table, to_csv
from uap_core.norms import LINF, Ball, to_levels
from uap_core.ui.gallery import photo_name
from uap_core.ui.html.lesson import lesson, next_line
from uap_core.ui.html.words import pattern_title, photographs, plain
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.run import run_row
from uap_core.ui.runtime.speed import picture_seconds
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.selection import Selection, largest_level, of_selection
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs import epsilon_line
from uap_core.ui.tabs.apply.under import taken_under
from uap_core.ui.tabs.epsilon_fall import past_its_best
from uap_core.ui.titles import network_name, precomputed_on
from uap_core.ui.widgets import awaited, chart, download, hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.experiments.epsilon_sweep import PhotoRow, SweepRow

QUESTION = _("How strong must it be?")
NEXT = _("How many pictures does it take?")
EXPLAIN = _(r"""
The **fooling rate** is the share of images whose answer changes, $P[\,k(x+v) \ne k(x)\,]$: no true label enters, so
$\varepsilon = 0$ gives exactly 0 %. The *universal* pattern is scaled to each $\varepsilon$; *random noise* has the
same size and no knowledge; *an attack made for each picture (FGSM)* takes one step of its own,
$x + \varepsilon\,\mathrm{sign}\,\nabla_x J(x, k(x))$ (Goodfellow et al., 2015). Bands are 95 % Wilson intervals. One
pattern for all images needs a larger $\varepsilon$ than a step made for each, and then comes close to it or passes it.
Diamonds are measured in your visit, on the pictures that their name tells; lines were computed on photographs: where the
pictures differ, compare shapes, not heights.
""")
LIVE_IMAGES = 128
LIVE_LEVELS = (0, 2, 4, 6, 8, 10, 12, 16, 20, 24, 32)  # 255ths; to where the slider ends
PHOTO_LEVELS = (0, 1, 2, 4, 6, 8, 10, 12, 16, 20, 24, 28, 32)
PASSES_BESIDE = 4  # through the network for each picture, beside one a measured value: its answer and its gradient
DRAWING = 0.3  # seconds a chart takes
MANY, ONE = "many", "one"


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it."""
    views = Views(studio)
    with gr.Column(elem_id="sweep-view"):
        answer = gr.HTML(lesson(QUESTION, ""), elem_id="sweep-answer")
        choices = [(_("many photographs"), MANY), (_("the chosen photograph"), ONE)]
        gr.Radio(
            choices, value=MANY, label=_("Show"), show_label=False, container=False, interactive=True, elem_id="sweep-which"
        )
        with gr.Column(elem_id="sweep-many"):
            figure = chart("sweep-chart")
            state = gr.HTML(awaited(), elem_id="sweep-status")
            run = run_row(studio, setup, tab, "sweep", _("Measure it here ({time})"), views.seconds)
        with gr.Column(elem_id="sweep-one"):
            photo_chart = chart("photo-chart")
            photo_note = gr.HTML(awaited(), elem_id="photo-chart-note")
        with gr.Accordion(_("For researchers"), open=False, elem_id="sweep-more") as fold:
            gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")
            with gr.Row(elem_classes="downloads"):
                csv = download(_("The computed curve (.csv)"), "sweep-csv")
                live_csv = download(_("The live points (.csv)"), "sweep-live-csv")
                photo_csv = download(_("The photograph's curve (.csv)"), "photo-csv")
            epsilon_line.build(studio, setup, fold)
        gr.HTML(next_line("samples", NEXT))
    filled = {"said": state, "chart": figure, "csv": csv, "live-csv": live_csv, "answer": answer}
    keep_fresh(setup, tab, views.stored, [setup.network, setup.pattern, setup.own], filled)
    run.wire(views.measure, setup.inputs, filled, _("Stopped. The points so far stay."), restore=views.stored)
    photo = {"said": photo_note, "chart": photo_chart, "csv": photo_csv}
    keep_fresh(setup, tab, views.photo_curve, setup.inputs[:4], photo)


@dataclass(frozen=True)
class Views:
    """What the tab's events answer."""

    studio: Studio

    def seconds(self, network: str) -> float:
        """How long a run takes with this network."""
        values = 3 * (len(LIVE_LEVELS) - 1)
        passes = len(self.studio.some(network, 0, LIVE_IMAGES)[1]) * (PASSES_BESIDE + values)
        return passes * picture_seconds(self.studio, network) + values * DRAWING

    def stored(self, network: str, pattern: str, _own: dict[str, Pattern] | None = None) -> dict[str, Any]:
        """The precomputed sweep on photographs, where there is one for this network and pattern."""
        table = table_of(self.studio, network, pattern)
        found = {"answer": answer_of(self.studio, network, table), "live-csv": hide()}
        if table is None:
            return found | {
                "said": status(_("Not computed on photographs for this choice.")),
                "chart": hide(),
                "csv": hide(),
            }
        note = _("Precomputed on {images}, {date}.").format(
            images=photographs(table.provenance["held_out"]), date=table.provenance["time"][:10]
        )
        note = " ".join(filter(None, (note, past_its_best(table.rows))))
        file = show(offer("sweep.csv", to_csv(table.rows).encode()))
        return found | {"said": status(note), "chart": show(_chart(self.studio, network, table)), "csv": file}

    def photo_curve(self, photo: str, network: str, pattern: str, own: dict[str, Pattern]) -> dict[str, Any]:
        """What the network says of the chosen photograph as the pattern grows."""
        from uap_core.experiments.epsilon_sweep import photo_rows
        from uap_core.plots.epsilon import photo_figure

        perturbation = self.studio.perturbation(pattern, network, own)
        classifier, ball = self.studio.classifier(network), perturbation.ball
        epsilons = levels_of(ball, PHOTO_LEVELS)
        strengths = [0.0, ball.radius * 255, *(255 * epsilon for epsilon in epsilons)]
        taken = taken_under(classifier.card, photo, perturbation, strengths)
        rows = photo_rows(classifier, taken[:1], taken[2:], taken[1:2], epsilons)
        title = _("{photograph} under {pattern}, seen by {network} (live)").format(
            photograph=photo_name(photo), pattern=pattern_title(perturbation.name, ball), network=plain(classifier.card.name)
        )
        figure = photo_figure(rows, title, largest_level(ball))
        file = show(offer("photograph.csv", to_csv(rows).encode()))
        return {"said": status(told(photo_name(photo), rows)), "chart": show(figure), "csv": file}

    @of_selection
    def measure(self, chosen: Selection) -> Iterator[dict[str, Any]]:
        """The rates at some strengths, measured now and drawn over what was computed."""
        import torch

        from uap_core.experiments.epsilon_sweep import NAMES, epsilon_sweep

        yield {"said": progress_note(_("Opening network and images…"), 0)}
        network, studio = chosen.network, self.studio
        classifier, perturbation = studio.classifier(network), chosen.unscaled(studio)
        held_out, levels = studio.some(network, 0, LIVE_IMAGES)[1], levels_of(perturbation.ball, LIVE_LEVELS)
        count, images, table = len(held_out), studio.live_set_name(network), table_of(studio, network, chosen.pattern)
        on = _("live, on {count} {images}").format(count=count, images=images)
        rows: list[SweepRow] = []
        pace, total = Pace(), 3 * (len(levels) - 1)
        for row in epsilon_sweep(classifier, perturbation, held_out, torch.Generator().manual_seed(0), levels):
            rows.append(row)
            if row.epsilon:  # at 0 there is nothing to see yet
                text = _("Live: {attack}, strength {level:g}").format(attack=_(NAMES[row.attack]), level=row.epsilon * 255)
                note = pace.note(sum(row.epsilon > 0 for row in rows), total, text)
                file = show(offer("sweep-live.csv", to_csv(rows).encode()))
                figure = _figure(studio, network, table, rows, on, perturbation)
                yield {"said": note, "chart": show(figure), "live-csv": file}
        text = _("Live: {values} strengths measured on {count} {images}; the diamonds are these.")
        yield {"said": status(text.format(values=len(levels), count=count, images=images))}


def table_of(studio: Studio, network: str, pattern: str) -> Table | None:
    """The precomputed sweep of ``pattern`` on ``network``, if it was made."""
    from uap_core.experiments.epsilon_sweep import SweepRow

    table: Table | None = studio.precomputed(f"{network}-sweep", SweepRow)
    return table if table is not None and pattern == table.provenance["pattern_file"] else None


def levels_of(ball: Ball, levels: Sequence[int]) -> tuple[float, ...]:
    """``levels`` in units of [0,1] for l_inf; for l2 the usual multiples of the pattern's own length, as far as the slider."""
    from uap_core.experiments.epsilon_sweep import default_epsilons

    return tuple(level / 255 for level in levels) if ball.p == LINF else default_epsilons(ball)


def answer_of(studio: Studio, network: str, table: Table | None) -> str:
    """The question and its answer for a network, from its table where there is one."""
    name = network_name(studio, network)
    if table is None:
        said = _(
            "For this pattern on {network} the rates on many photographs are not computed yet; the chart shows how the chosen"
            " photograph gives way as the strength grows."
        )
        return lesson(QUESTION, said.format(network=name))
    from uap_core.experiments.epsilon_sweep import RANDOM, UNIVERSAL

    rates = {(row.attack, round(row.epsilon * 255)): row.fooling_rate.value for row in table.rows}
    levels = sorted(level for attack, level in rates if attack == UNIVERSAL)
    half = next((level for level in levels if rates[UNIVERSAL, level] >= 0.5), levels[-1])
    full = 10 if 10 in levels else levels[-1]
    said = _(
        "The strength (epsilon, ε, in papers) is by how many of its 255 levels a colour may change at most. At strength {half}"
        " the pattern already fools {network} on {half_rate:.1%} of {count} photographs it was not"
        " made from, at {full} on {rate:.1%}; random noise of strength {full} fools it on {signs:.1%}."
    )
    return lesson(
        QUESTION,
        said.format(
            half=half,
            full=full,
            network=name,
            count=table.rows[0].fooling_rate.total,
            half_rate=rates[UNIVERSAL, half],
            rate=rates[UNIVERSAL, full],
            signs=rates[RANDOM, full],
        ),
    )


def told(photograph: str, rows: Sequence[PhotoRow]) -> str:
    """Where a photograph's answer changes, in a sentence."""
    fooled = [row for row in rows if row.predicted != row.clean_label]
    if not fooled:
        return _("{photograph} held up to strength {most:g}: still {label}.").format(
            photograph=photograph, most=rows[-1].epsilon * 255, label=rows[0].clean_label
        )
    return _("{photograph} is fooled from strength {level:.3g}: {before} becomes {after}.").format(
        photograph=photograph, level=fooled[0].epsilon * 255, before=rows[0].clean_label, after=fooled[0].predicted
    )


def _chart(studio: Studio, network: str, table: Table) -> str:
    from uap_core.plots.epsilon import sweep_figure

    title = precomputed_on(studio, network, table.rows[0].fooling_rate.total)
    return drawn_once(sweep_figure, table.rows, title, reach=to_levels(max(row.epsilon for row in table.rows)))


def _figure(studio: Studio, network: str, table: Table | None, rows: Sequence[SweepRow], on: str, perturbation: Any) -> Any:
    """The live points over what was computed before, if anything was."""
    from uap_core.plots.epsilon import sweep_figure

    reach = largest_level(perturbation.ball)
    if table is not None:
        title = precomputed_on(studio, network, table.rows[0].fooling_rate.total)
        return sweep_figure(table.rows, title, reach, rows, on)
    title = _("{pattern} on {network}").format(
        pattern=pattern_title(perturbation.name, perturbation.ball), network=network_name(studio, network)
    )
    return sweep_figure([], title, reach, rows, on)
