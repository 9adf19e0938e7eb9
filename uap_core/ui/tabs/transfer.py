"""The tab Transfer: whom else does a pattern, or an example made for one image, fool? And across training sets?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.attacks.menu import attack_name
from uap_core.datasets import imagenette
from uap_core.i18n import _
from uap_core.io.results import Table, to_csv
from uap_core.perturbations.library import library
from uap_core.ui.html.rate_table import MADE_ON_IT, rate_table, told
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.live_sets import offer_where_right
from uap_core.ui.runtime.stop_button import run_until_stopped
from uap_core.ui.sidebar import Setup
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.titles import names
from uap_core.ui.widgets import QUICK, download, guarded, hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.experiments.origins import MatrixRow
    from uap_core.perturbations.perturbation import Perturbation

QUESTION = _(r"""
**Whom else does it fool?** A pattern $v$ crafted on one network is added to images that another one looks at: the cell in its
row and that network's column is the fooling rate $P[\,k(\mathrm{clip}(x+v)) \ne k(x)\,]$, with $k$ the network of the column.
""")
EXAMPLES = _(r"""
**And examples made for each image?** They are made on the network of the row, $x' = x + r(x)$, and shown to that of the column.
The last column is their average distortion, the mean of $\sqrt{\sum_i (x'_i - x_i)^2 / n}$ over the images, as in Table 1 of
Szegedy et al. (2014), for pixels from 0 to 1.
""")
TRAINING = _(r"""
**Does it help to have learnt from other pictures?** The craft images of ten classes are parted into halves with no picture in
common. *A* and *B* are two small architectures trained on the first half, *A'* is the first one trained on the second. Examples
made on each from pictures that none of them saw are shown to the others.
""")
EXPLAIN = _(r"""
*Random signs* and *Gaussian noise* know nothing of any network. Beside patterns the noise has the $\ell_2$ norm of the
signs: with $\ell_\infty$ signs of 10/255 goes a standard deviation of 10/255, and single values go further. Beside
examples, noise is drawn anew for each image, as large as the largest of the networks' average distortions. *DeepFool*
stops just beyond its own network's boundary, so its examples are tiny and hardly another network notices; *FGSM* and
*PGD* go on within 10/255, as far as the patterns may, and reach beyond other networks' boundaries too. An attacker who
does not have the network can thus craft on another one that stands in for it, a **grey box**; a pattern that fools both
many images and many networks is **doubly universal**. The paper's Table 2 has the same for its own method,
$\ell_\infty$ 10/255, on ImageNet's validation images: a pattern crafted on GoogLeNet fools GoogLeNet at 78.9 %,
CaffeNet at 43.8 %, VGG-F at 46.2 %, VGG-16 at 39.2 %, VGG-19 at 39.8 % and ResNet-152 at 45.5 % (Moosavi-Dezfooli et
al., 2017). Live cells are measured on dreams or on your own pictures, precomputed ones on photographs: compare their
order, not their height. Only networks that those pictures tell the truth about can be ticked.
""")
FAMILIES = {_("embedded, 64 pixels"): "embedded", _("ImageNet, 224 pixels"): "imagenet"}
MADE = _("made on this network")
LIVE_HELD_OUT, LIVE_IMAGES, LIVE_ATTACK = 100, 32, "deepfool"  # images for patterns, and to make examples for
HALVES_LIMIT = 2500
MATH: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it. Nothing is read before ``tab`` is chosen."""
    gr.Markdown(QUESTION, latex_delimiters=MATH, elem_classes="explain")
    family = gr.Radio(list(FAMILIES), value=next(iter(FAMILIES)), label=_("Precomputed on"), elem_id="transfer-family")
    matrix = gr.HTML(elem_id="transfer-matrix")
    gr.Markdown(EXAMPLES, latex_delimiters=MATH, elem_classes="explain")
    examples = gr.HTML(elem_id="transfer-examples")
    stored_csv = download(_("Both tables (.csv)"), "transfer-stored-csv")
    gr.Markdown(_("#### Live: the library's patterns and yours, on networks of the chosen one's size"))
    networks = gr.CheckboxGroup(
        label=_("Networks"),
        elem_id="transfer-networks",
    )
    with gr.Row():
        run = gr.Button(_("Measure now"), variant="primary", elem_id="transfer-run")
        stop = gr.Button(_("Stop"), variant="stop", scale=0, min_width=120, elem_id="transfer-stop")
    offer_where_right(studio, setup, tab, [run], "transfer-live-note")
    state = gr.HTML(elem_id="transfer-status")
    live = gr.HTML(elem_id="transfer-live")
    live_csv = download(_("These cells (.csv)"), "transfer-csv")
    gr.Markdown(_("#### Across training sets"))
    gr.Markdown(TRAINING, latex_delimiters=MATH, elem_classes="explain")
    halves = gr.HTML(elem_id="halves-stored")
    with gr.Row():
        train = gr.Button(_("Train the three now"), elem_id="halves-run")
        stop_training = gr.Button(_("Stop"), variant="stop", scale=0, min_width=120, elem_id="halves-stop")
    training = gr.HTML(elem_id="halves-status")
    trained = gr.HTML(elem_id="halves-live")
    halves_csv = download(_("This table (.csv)"), "halves-csv")
    gr.Markdown(EXPLAIN, latex_delimiters=MATH, elem_classes="explain")

    def stored(family_now: str) -> tuple[Any, ...]:
        from uap_core.experiments.origins import MatrixRow

        name = FAMILIES[family_now]
        tables = [studio.precomputed(f"{name}-{part}", MatrixRow) for part in ("matrix", "examples")]
        rows = [row for table in tables if table for row in table.rows]
        file = show(offer(f"{name}-transfer.csv", to_csv(rows).encode())) if rows else hide()
        known = names(studio)
        halves_now = _halves(studio.precomputed("halves", MatrixRow))
        return _stored(tables[0], known), _stored(tables[1], known, MADE), file, halves_now

    def file_of(rows: list[MatrixRow]) -> Any:
        return show(offer("transfer.csv", to_csv(rows).encode()))

    def measure(network: str, own: dict[str, Pattern], chosen: list[str]) -> Iterator[tuple[Any, Any, Any]]:
        from uap_core.errors import SettingError
        from uap_core.experiments.transfer_examples import cross_model, made_to_transfer
        from uap_core.experiments.transfer_matrix import fooling_matrix, noises

        chosen = [key for key in chosen if studio.may_share(network, key)]
        if not chosen:
            raise SettingError(_("Tick at least one network."))
        yield progress_note(_("Opening networks and images…"), 0), "", hide()
        loaded = [studio.classifier(key) for key in chosen]
        held_out = studio.some(network, 0, LIVE_HELD_OUT)[1]
        patterns = _patterns(studio, network, own)
        known = names(studio) | {key: pattern.name for key, pattern in patterns.items()}
        balls = list(dict.fromkeys(pattern.ball for pattern in patterns.values()))
        count = (len(patterns) + len(noises(balls, (3, 1, 1), 0))) * len(loaded)
        seen = studio.live_set_name(network)
        about = _("Live: fooling rate on {count} {images}.").format(count=len(held_out), images=seen)
        cells: list[MatrixRow] = []
        for row in fooling_matrix(patterns, loaded, held_out, balls, 0):
            cells.append(row)
            yield progress_note(told(row, known), 0.6 * len(cells) / count), rate_table(cells, known, about), file_of(cells)
        attack = made_to_transfer(LIVE_ATTACK, 10 / 255)
        few = held_out.prefix(LIVE_IMAGES)
        table, count = rate_table(cells, known, about), (len(loaded) + 2) * len(loaded)
        about = _("Live: examples made for each of {count} {images}.").format(count=len(few), images=seen)
        made: list[MatrixRow] = []
        text = _("Making examples for {count} images by {attack}…").format(count=len(few), attack=attack_name(LIVE_ATTACK))
        yield progress_note(text, 0.6), gr.skip(), gr.skip()
        for row in cross_model(loaded, few, attack, LIVE_ATTACK, 0):
            made.append(row)
            note = progress_note(told(row, known), 0.6 + 0.4 * len(made) / count)
            yield note, table + rate_table(made, known, about, MADE), file_of([*cells, *made])
        done = status(
            _("Done: {patterns} cells for patterns and {examples} for examples, measured live.").format(
                patterns=len(cells), examples=len(made)
            )
        )
        yield done, gr.skip(), gr.skip()

    def learn() -> Iterator[tuple[Any, Any, Any]]:
        from uap_core.experiments.disjoint_training import LEARNER_NAMES, LearnerRow, cross_training, open_for_halves
        from uap_core.experiments.transfer_examples import made_to_transfer

        source = _training_pictures(studio)
        yield progress_note(_("Opening the pictures…"), 0), "", hide()
        craft, held_out = open_for_halves(source, HALVES_LIMIT)
        rows: list[MatrixRow] = []
        accuracy: dict[str, str] = {}
        attacks = {LIVE_ATTACK: made_to_transfer(LIVE_ATTACK, 10 / 255)}
        for row in cross_training(craft, held_out, attacks, 0):
            if isinstance(row, LearnerRow):
                accuracy[row.network] = f"{row.accuracy.value:.1%}"
                note = progress_note(
                    _("{network}, epoch {epoch}: accuracy {accuracy}").format(
                        network=LEARNER_NAMES[row.network], epoch=row.epoch, accuracy=row.accuracy
                    ),
                    row.share,
                )
                yield note, gr.skip(), gr.skip()
                continue
            rows.append(row)
            about = _("Live: fooling rate on {count} images of {images}. {accuracies}").format(
                count=len(held_out), images=held_out.name, accuracies=_accuracies(accuracy)
            )
            yield gr.skip(), rate_table(rows, LEARNER_NAMES, about, MADE), show(offer("halves.csv", to_csv(rows).encode()))
        yield status(_("Done: trained and measured live.")), gr.skip(), gr.skip()

    def offered(network: str, ticked: list[str]) -> tuple[Any, Any]:
        return gr.skip(), _same_size(studio, network, ticked)

    precomputed = [matrix, examples, stored_csv, halves]
    keep_fresh(setup, tab, stored, [family], precomputed)
    family.input(guarded(4, 0)(stored), family, precomputed, **QUICK)
    keep_fresh(setup, tab, offered, [setup.network], [state, networks], also=[networks])
    outputs = [state, live, live_csv]
    inputs, stopped = [setup.network, setup.own, networks], _("Stopped. The cells so far stay.")
    run_until_stopped(run, stop, studio.heavy(3, 0)(measure), inputs, outputs, stopped)
    of_training = [training, trained, halves_csv]
    run_until_stopped(train, stop_training, studio.heavy(3, 0)(learn), [], of_training, _("Stopped."))


def _stored(table: Table | None, known: Mapping[str, str], made: str = MADE_ON_IT) -> str:
    if table is None or not table.rows:
        return status(_("Not computed yet: measure it below, or by `python -m uap_core transfer`."))
    return rate_table(
        table.rows,
        known,
        _("Precomputed {date} on {images}.").format(date=table.provenance["time"][:10], images=table.provenance["held_out"]),
        made,
    )


def _halves(table: Table | None) -> str:
    from uap_core.experiments.disjoint_training import LEARNER_NAMES

    if table is None or not table.rows:
        return status(_("Not computed yet: `python -m uap_core halves --data FOLDER` trains and measures."))
    stated = table.provenance
    about = _("Precomputed {date} on {images}, {pictures}.").format(
        date=stated["time"][:10], images=stated["held_out"], pictures=stated["pictures"]
    )
    return rate_table(table.rows, LEARNER_NAMES, f"{about} {_accuracies(stated['accuracy'])}", MADE)


def _accuracies(found: dict[str, str]) -> str:
    from uap_core.experiments.disjoint_training import LEARNER_NAMES

    listed = "; ".join(f"{LEARNER_NAMES[key]} {rate.partition(' ')[0]}" for key, rate in found.items())
    return _("Accuracy: {rates}.").format(rates=listed)


def _same_size(studio: Studio, network: str, ticked: Sequence[str]) -> Any:
    """The networks of this machine that take pictures of the chosen one's size and that its pictures tell the truth about:
    those ``ticked`` stay so, if any is here, otherwise all are."""
    side = studio.card(network).input_size
    alike = [key for _, key in studio.networks() if studio.card(key).input_size == side]
    fitting = [(studio.card(key).name, key) for key in alike if studio.may_share(network, key)]
    keys = [key for _, key in fitting]
    return gr.update(choices=fitting, value=[key for key in keys if key in ticked] or keys)


def _patterns(studio: Studio, network: str, own: dict[str, Pattern]) -> dict[str, Perturbation]:
    """The library's of the network's size, then the visitor's, by their keys."""
    from dataclasses import replace

    side = studio.card(network).input_size
    ready = {entry.key: studio.perturbation(entry.key, network, own) for entry in library() if entry.side == side}
    fitting = [f"own:{key}" for key, found in own.items() if found.values.shape[1] == side]
    mine = {key: studio.perturbation(key, network, own) for key in fitting}
    yours = {key: replace(found, name=_("{pattern} (yours)").format(pattern=found.name)) for key, found in mine.items()}
    return ready | yours


def _training_pictures(studio: Studio) -> Path:
    """Photographs with classes to train on. Raises DatasetError when there are none."""
    from uap_core.errors import DatasetError

    if studio.images:
        return studio.images
    if imagenette.is_here():
        return imagenette.folder()
    raise DatasetError(
        _(
            "Training takes photographs in a folder a class, some hundreds of each, and dreams are none: fetch Imagenette under"
            " Networks ({size} MB), or start the app with --images. Above stands what was precomputed."
        ).format(size=imagenette.MEGABYTES)
    )
