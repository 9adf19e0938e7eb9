"""A view of the Defences tab: does it help to train a network against what fools it? Precomputed: training takes too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.i18n import _
from uap_core.io.results import Table, to_csv
from uap_core.models.robust_variants import TWINS, twin_key
from uap_core.models.zoo import QUICK_MODEL
from uap_core.ui.html.words import photographs, plain
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Studio
from uap_core.ui.widgets import awaited, chart, download, hide, offer, show, status

if TYPE_CHECKING:
    from uap_core.experiments.fine_tuning import RoundRow

QUESTION = _(r"""
#### Does training help?
$\min_\theta\ \alpha\, J(\theta, x, y) + (1 - \alpha)\, J(\theta, x', y)$: the network meets its attackers while it learns, the
share $\alpha$ of the pictures stays clean (Goodfellow, Shlens and Szegedy, ICLR 2015). What is $x'$?

- *Trained on attacks*: each picture under an attack of its own, one step from a random start (Wong et al., ICLR 2020).
- *Trained on a universal pattern*: $\min_\theta \max_{\|v\|_\infty \le \varepsilon} \sum_i J(\theta, x_i + v, y_i)$, where one
  $v$ for all pictures climbs while the weights descend (universal adversarial training: Shafahi et al., AAAI 2020).
- *Fine-tuned in rounds*: each picture with one of a pool of universal patterns, crafted on the network as it is. Then the
question is what the *next* pattern does. In Moosavi-Dezfooli et al. (2017, section 4) a new pattern fools VGG-F on 76.2 % of
the images instead of 93.7 %, after another round on 80.0 %.

The first two are rows of the table above where the network has such versions; the rounds are drawn here.
""")
EXPLAIN = _(r"""
What was shown is learnt, and the next pattern fools all the same: less often than before, but a second round buys nothing more,
and of the first pattern, which it no longer shows, some is forgotten. In the rounds and for the
second twin $\alpha = 1/2$; the first twin meets attacked pictures alone, $\alpha = 0$. A round is two passes over 50 000
photographs with five patterns of 10/255, and pictures keep their 64 pixels, since a pattern fits one size; the network of the
table above sees them enlarged, hence its other rates. None of this is live, because training takes too long:
`python -m uap_core fine-tune DATA` computes the chart, in two minutes on a large graphics card or about an hour on one
processor core; `python -m uap_core train DATA --epsilon 4/255` trains the first twin,
`--epsilon 10/255 --against universal` the second.
""")
LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


def build(studio: Studio, setup: Setup, fold: gr.Accordion) -> None:
    """Lay out the view inside the fold that calls it, and wire it. Nothing is read or drawn before that is unfolded."""
    gr.Markdown(QUESTION, latex_delimiters=LATEX, elem_classes="explain")
    state = gr.HTML(awaited(), elem_id="training-status")
    rounds_chart = chart("rounds-chart")
    rounds_csv = download(_("These rounds (.csv)"), "rounds-csv")
    with gr.Accordion(_("The twins, epoch by epoch"), open=False, visible=False, elem_id="twins") as box:
        twins_chart = chart("twins-chart")
    gr.Markdown(EXPLAIN, latex_delimiters=LATEX, elem_classes="explain")

    def training(network: str) -> dict[str, Any]:
        """What was computed for this network, if anything was."""
        return _rounds(studio, network) | _twins(studio, network)

    places = {"said": state, "rounds": rounds_chart, "csv": rounds_csv, "box": box, "twins": twins_chart}
    keep_fresh(setup, fold, training, [setup.network], places)


def _rounds(studio: Studio, network: str) -> dict[str, Any]:
    """Sentence, chart and file of the rounds of fine-tuning."""
    from uap_core.experiments.fine_tuning import RoundRow
    from uap_core.plots.training import rounds_figure

    table = studio.precomputed(f"{network}-rounds", RoundRow)
    if table is None or not studio.card(network).is_weights(table.provenance["weights_sha256"]):
        here = plain(studio.card(QUICK_MODEL).name)
        said = _("This network was not trained in rounds: choose {network} to see what they do.").format(network=here)
        return {"said": status(said), "rounds": hide(), "csv": hide()}
    title = _("{network}, fine-tuned against its patterns (precomputed)").format(network=plain(studio.card(network).name))
    figure = drawn_once(rounds_figure, table.rows, title)
    note = status(f"{_precomputed(table)} {conclusion(table.rows)}")
    return {"said": note, "rounds": show(figure), "csv": show(offer("rounds.csv", to_csv(table.rows).encode()))}


def _twins(studio: Studio, network: str) -> dict[str, Any]:
    """Whether there is something to open, and the curves of the twins of this network."""
    from uap_core.plots.training import twins_figure
    from uap_core.training.loop import EpochRow

    tables = {twin: studio.precomputed(f"{twin_key(network, twin)}-training", EpochRow) for twin in TWINS}
    curves = {twin: table.rows for twin, table in tables.items() if table is not None}
    if not curves:
        return {"box": gr.update(visible=False), "twins": hide()}
    title = _("{network}, trained further (precomputed)").format(network=plain(studio.card(network).name))
    return {"box": gr.update(visible=True), "twins": show(drawn_once(twins_figure, curves, title))}


def _precomputed(table: Table) -> str:
    stated = table.provenance
    took = _("{seconds:.0f} s on {device}") if "device" in stated else _("{seconds:.0f} s")
    took = took.format(seconds=table.rows[-1].seconds, device=stated.get("device"))
    return _("Precomputed on {images}, {date}, in {time}; {patterns} patterns a round, each crafted on {crafted_on}.").format(
        images=photographs(stated["held_out"]),
        date=stated["time"][:10],
        time=took,
        patterns=stated["patterns"],
        crafted_on=stated["crafted_on"],
    )


def conclusion(rows: Sequence[RoundRow]) -> str:
    """Before, after a round, after another: what fools the network, and what it still knows, in a sentence."""
    new, first, clean = (
        " → ".join(f"{getattr(row, name).value:.1%}" for row in rows)
        for name in ("new_pattern", "first_pattern", "clean_accuracy")
    )
    return _("Fooled by a new pattern {new}, by the first one {first}; clean accuracy {clean}.").format(
        new=new, first=first, clean=clean
    )
