"""The tab Defences: what helps against a pattern, for how long, and whether a pattern can be noticed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.defences.names import CLEAN_KINDS, UNDEFENDED, defence_name
from uap_core.defences.transforms import DEFENCES, GRADIENTS
from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.models.robust_variants import ROBUST, TWINS, twin_key
from uap_core.ui.html.tables import head, line, wide
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.live_sets import offer_where_right
from uap_core.ui.runtime.stop_button import run_until_stopped
from uap_core.ui.sidebar import Setup, chosen
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.defences import training as training_view
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import awaited, chart, download, hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.experiments.defences import DefenceRow
    from uap_core.experiments.detector import DetectorRow
    from uap_core.metrics import Rate

EXPLAIN = _(r"""
**What helps, and for how long?** A defence $d$ changes each picture before the network sees it, so that $k_d(x) = k(d(x))$. Two
patterns of the same size are tried on it: the chosen one, which knows nothing of $d$, and one *crafted anew through* it, on the
same images. Each is judged by $P[\,k_d(x+v) \ne k_d(x)\,]$, beside random signs, and beside what $d$ costs when nobody attacks.
A defence that only the fixed pattern fails against hides the way; it does not close it. The row *none* shows what crafting
with this small budget achieves on the bare network: compare the others with that.

*JPEG* is the real codec; its gradient is that of a smooth model of it. *Bits* rounds each value; its gradient is passed
straight through. *Blur* and *crop* have true gradients. The *trained* ones are other networks in its place, of the same
architecture (below). All of them answer the same picture alike every time: nothing here hides behind chance. Rows that are
measured live have a pattern crafted with 200 image-gradients on 64 images, and 64 others to measure on; a row first shows what
a few of these gradients do (see its cost), and is replaced when they are spent.
""")
EXPLAIN_DETECTOR = _(r"""
**Can a pattern be noticed?** A universal pattern makes a few features dominate whatever the picture shows, so that the entropy
of a deep layer falls (Sun, Sun and Zhao, ICLR 2025). Here
$H(x) = -\sum_c p_c \log p_c$ with $p = \mathrm{softmax}$ of the channels' means in the last feature maps, and an alarm is
$H(x) < \tau$. The curve shows, for every $\tau$, the share of attacked images that raise the alarm against the share of clean
ones that do; the area under it (AUC) is the chance that the attacked image of a pair has the lower entropy, one half for a
coin. Its 95 % interval is that of Hanley and McNeil (1982).

What the detector is worth, the pattern that *knows* it tells (Carlini and Wagner, 2017): at each step of its crafting a second
gradient pulls $H(x + v)$ up, as long as it is below the median of clean images. It takes more steps to fool as many, and is not
noticed.
""")
LIVE_BUDGET, LIVE_CRAFT, LIVE_HELD_OUT = 200, 64, 64  # image-gradients a defence, images to craft on and to measure on
LIVE_AWARE = 800  # image-gradients of a pattern that knows the detector, two for each image
TICKED = ["jpeg-50", "blur-1", "bits-3", ROBUST]  # one of each kind: with the bare network five rows
HEAD = (
    _("Defence"),
    _("Clean"),
    _("Fooled by the fixed pattern"),
    _("… by one crafted anew"),
    _("… by random signs"),
    _("Gradient"),
    _("Cost"),
)


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it. Nothing is read or drawn before ``tab`` is chosen for the first time."""
    gr.Markdown(EXPLAIN, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")
    listed = [*(defence.id for defence in DEFENCES), *TWINS]
    ticked = gr.CheckboxGroup(
        [(defence_name(key), key) for key in listed],
        value=TICKED,
        label=_("In front of the network, or in its place"),
        info=_("Trained ones are measured where such a twin of the network is here."),
        elem_id="defences",
    )
    with gr.Row():
        run = gr.Button(_("Measure now"), variant="primary", elem_id="defences-run")
        stop = gr.Button(_("Stop"), variant="stop", scale=0, min_width=120, elem_id="defences-stop")
    offer_where_right(studio, setup, tab, [run], "defences-live-note")
    state = gr.HTML(awaited(), elem_id="defences-status")
    table = gr.HTML(elem_id="defences-table")
    figure = chart("defences-chart")
    csv = download(_("These rates (.csv)"), "defences-csv")
    training_view.build(studio, setup, tab)
    gr.Markdown(_("#### A detector"))
    with gr.Row():
        watch = gr.Button(_("Measure the detector"), variant="primary", elem_id="detector-run")
        halt = gr.Button(_("Stop"), variant="stop", scale=0, min_width=120, elem_id="detector-stop")
    offer_where_right(studio, setup, tab, [watch], "detector-live-note")
    detector_state = gr.HTML(elem_id="detector-status")
    curve = chart("detector-chart")
    points = download(_("These points (.csv)"), "detector-csv")
    gr.Markdown(EXPLAIN_DETECTOR, latex_delimiters=[{"left": "$", "right": "$", "display": False}], elem_classes="explain")

    def stored(network: str, pattern: str) -> tuple[Any, ...]:
        from uap_core.experiments.defences import DefenceRow
        from uap_core.plots.defences import defences_figure

        found = studio.precomputed(f"{network}-defences", DefenceRow)
        if found is None or pattern != found.provenance["pattern_file"]:
            return status(_("Nothing precomputed for this choice.")), "", hide(), hide()
        crafted_on = _("crafted anew on {images}.").format(images=found.provenance["crafted_on"])
        note = f"{_precomputed(found.provenance)}, {crafted_on} {conclusion(found.rows)}"
        title = _("Defences, {network}: {count} validation images (precomputed)").format(
            network=network_name(studio, network), count=found.rows[0].fixed.total
        )
        drawn = drawn_once(defences_figure, found.rows, title)
        return status(note), table_of(found.rows), show(drawn), show(offer("defences.csv", to_csv(found.rows).encode()))

    def stored_detector(network: str, pattern: str) -> tuple[Any, ...]:
        from uap_core.experiments.detector import DetectorRow
        from uap_core.plots.defences import detector_figure

        found = studio.precomputed(f"{network}-detector", DetectorRow)
        if found is None or pattern != found.provenance["pattern_file"]:
            return status(_("Nothing precomputed for this choice.")), hide(), hide()
        title = _("Entropy of a deep layer, {network}: {count} validation images (precomputed)").format(
            network=network_name(studio, network), count=found.rows[0].fooled.total
        )
        drawn = drawn_once(detector_figure, found.rows, title)
        note = status(f"{_precomputed(found.provenance)}. {noticed(found.rows)}")
        return note, show(drawn), show(offer("detector.csv", to_csv(found.rows).encode()))

    def measure(
        photo: str, network: str, pattern: str, own: dict[str, Pattern], epsilon: float, ticked_now: list[str]
    ) -> Iterator[tuple[Any, ...]]:
        from uap_core.crafting.default import Default
        from uap_core.errors import SettingError
        from uap_core.experiments.defences import Crafting, DefenceRow, defence_rows
        from uap_core.models.robust_variants import trained_twins
        from uap_core.plots.defences import defences_figure

        yield progress_note(_("Opening network and images…"), 0), *(gr.skip(),) * 3
        perturbation = chosen(studio, network, pattern, own, epsilon)
        if not perturbation.ball.radius:
            raise SettingError(_("Crafting needs an epsilon above 0. Move the epsilon slider."))
        classifier = studio.classifier(network)
        craft, held_out = studio.some(network, LIVE_CRAFT, LIVE_HELD_OUT)
        defences = [defence for defence in DEFENCES if defence.id in ticked_now]
        wanted = {name: twin for name, twin in trained_twins(studio.zoo, network).items() if name in ticked_now}
        twins = {name: twin for name, twin in wanted.items() if studio.may_share(network, twin_key(network, name))}
        total = 1 + len(defences) + len(twins)
        about = _("{count} {images}").format(count=len(held_out), images=studio.live_set_name(network))
        title = _("{pattern} on {network}: {images} (live)").format(
            pattern=perturbation.name, network=classifier.card.name, images=about
        )
        method, rows, looked = Default(budget=LIVE_BUDGET), list[DefenceRow](), set[str]()
        for found in defence_rows(classifier, defences, perturbation, craft, held_out, method, 0, twins):
            if isinstance(found, Crafting):
                text = (
                    _("Crafting through {defence}…").format(defence=defence_name(found.defence))
                    if rows
                    else _("Crafting on the bare network…")
                )
                early = found.so_far if found.defence not in looked else None
                looked.add(found.defence)
                note = progress_note(text, (len(rows) + 0.8 * found.share) / total)
                if not early:
                    yield note, *(gr.skip(),) * 3
                elif rows:
                    yield note, table_of(rows, early()), gr.skip(), gr.skip()
                else:  # chart and file would be those of what was shown before
                    yield note, table_of([], early()), hide(), hide()
                continue
            rows.append(found)
            note = progress_note(
                _("{defence}: measured on {images}.").format(defence=defence_name(found.defence), images=about),
                len(rows) / total,
            )
            csv_file = offer("defences.csv", to_csv(rows).encode())
            yield note, table_of(rows), show(defences_figure(rows, title)), show(csv_file)
        spent = _("{cost} image-gradients a defence on {count} images, measured on {images}").format(
            cost=LIVE_BUDGET, count=len(craft), images=about
        )
        said = _("Live: {spent}. {conclusion}").format(spent=spent, conclusion=conclusion(rows))
        left_out = ", ".join(defence_name(name) for name in wanted if name not in twins)
        if left_out:
            why = _("Left out, since these pictures would give wrong figures: {twins}.").format(twins=left_out)
            said = f"{said} {why}"
        yield status(said), *(gr.skip(),) * 3

    def detect(photo: str, network: str, pattern: str, own: dict[str, Pattern], epsilon: float) -> Iterator[tuple[Any, ...]]:
        import torch

        from uap_core.crafting.detector_aware import Unnoticed
        from uap_core.experiments.defences import Crafting
        from uap_core.experiments.detector import NAMES, DetectorRow, detector_rows
        from uap_core.plots.defences import detector_figure

        yield progress_note(_("Opening network and images…"), 0), gr.skip(), gr.skip()
        classifier, perturbation = studio.classifier(network), chosen(studio, network, pattern, own, epsilon)
        craft, held_out = studio.some(network, LIVE_CRAFT, LIVE_HELD_OUT)
        about = _("{count} {images}").format(count=len(held_out), images=studio.live_set_name(network))
        title = _("{pattern} on {network}: {images} (live)").format(
            pattern=perturbation.name, network=classifier.card.name, images=about
        )
        rows = list[DetectorRow]()
        method, generator = Unnoticed(budget=LIVE_AWARE), torch.Generator().manual_seed(0)
        for found in detector_rows(classifier, perturbation, craft, held_out, method, generator):
            if isinstance(found, Crafting):
                note = progress_note(_("Crafting {pattern}…").format(pattern=_(NAMES[found.defence])), 0.1 + 0.6 * found.share)
                yield note, gr.skip(), gr.skip()
                continue
            rows += found
            first = found[0]
            done = len({row.attack for row in rows})
            note = progress_note(f"{_(NAMES[first.attack])}: AUC {first.auc:.2f}.", 0.1 if done == 1 else 0.6 + 0.08 * done)
            yield note, show(detector_figure(rows, title)), show(offer("detector.csv", to_csv(rows).encode()))
        spent = _("{cost} image-gradients on {count} images for the pattern that knows the detector").format(
            cost=LIVE_AWARE, count=len(craft)
        )
        said = _("Live: {spent}, measured on {images}. {conclusion}").format(
            spent=spent, images=about, conclusion=noticed(rows)
        )
        yield status(said), gr.skip(), gr.skip()

    outputs = [state, table, figure, csv]
    stopped = _("Stopped. The rows so far stay.")
    run_until_stopped(run, stop, studio.heavy(4, 0)(measure), [*setup.inputs, ticked], outputs, stopped)
    detector_outputs = [detector_state, curve, points]
    stopped = _("Stopped. The curves so far stay.")
    run_until_stopped(watch, halt, studio.heavy(3, 0)(detect), setup.inputs, detector_outputs, stopped)
    keep_fresh(setup, tab, stored, [setup.network, setup.pattern], outputs)
    keep_fresh(setup, tab, stored_detector, [setup.network, setup.pattern], detector_outputs)


def noticed(rows: Sequence[DetectorRow]) -> str:
    """What the detector makes of a pattern that does not know it, and of one that does, in a sentence."""
    from uap_core.experiments.detector import AWARE, UNIVERSAL

    plain, aware = (next((row for row in rows if row.attack == attack), None) for attack in (UNIVERSAL, AWARE))
    if plain is None or aware is None:
        return ""
    return _(
        "The pattern has AUC {area:.2f} and fools {fooled:.0%};"
        " one that knows the detector has {aware_area:.2f} and fools {aware_fooled:.0%}."
    ).format(area=plain.auc, fooled=plain.fooled.value, aware_area=aware.auc, aware_fooled=aware.fooled.value)


def _precomputed(provenance: dict[str, Any]) -> str:
    return _("Precomputed on {images}, {date}").format(images=provenance["held_out"], date=provenance["time"][:10])


def table_of(rows: Sequence[DefenceRow], begun: DefenceRow | None = None) -> str:
    """One line a defence: always the fixed pattern and the one crafted anew side by side. Of ``begun`` the latter has spent
    a few of its gradients only, and the line says so."""
    lines = "".join(map(_line, rows)) + (_line(begun, _("only begun")) if begun else "")
    return wide(_("Defences and what fools them"), f'<table class="bouts defences">{head(HEAD)}{lines}</table>')


def _line(row: DefenceRow, remark: str = "") -> str:
    unit = _("image-gradients")
    cells = (
        f"{_rate(row.clean)}<small>{escape(_(CLEAN_KINDS[row.clean_is]))}</small>",
        _rate(row.fixed),
        f"<b>{_rate(row.crafted_anew)}</b>",
        _rate(row.random_signs),
        escape(_(GRADIENTS[row.gradient])),
        f"{row.image_gradients}<small>{unit}</small>",
    )
    below = f"<small>{remark}</small>" if remark else ""
    return line(escape(defence_name(row.defence)) + below, cells)


def _rate(rate: Rate) -> str:
    low, high = rate.interval
    interval = _("{low:.0%} to {high:.0%}").format(low=low, high=high)
    return f"{rate.value:.1%}<small>{interval}</small>"


def conclusion(rows: Sequence[DefenceRow]) -> str:
    """The defence that loses most to a pattern crafted through it, in a sentence; nothing where none was measured."""
    fronts = [row for row in rows if row.defence not in (UNDEFENDED, *TWINS)]
    if not fronts:
        return ""
    worst = max(fronts, key=lambda row: row.crafted_anew.value - row.fixed.value)
    if worst.crafted_anew.value <= worst.fixed.value:
        return _("With this budget no pattern crafted anew did better than the fixed one.")
    return _("Behind {defence} the fixed pattern fools {fixed:.0%}, one crafted through it {anew:.0%}.").format(
        defence=defence_name(worst.defence), fixed=worst.fixed.value, anew=worst.crafted_anew.value
    )
