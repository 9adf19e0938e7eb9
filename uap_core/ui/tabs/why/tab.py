"""The tab Why: the geometry behind universal patterns. Shared directions, those that matter, where the labels go, bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.i18n import _, ngettext
from uap_core.io.results import to_csv
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.live_sets import offer_where_right
from uap_core.ui.runtime.stop_button import run_until_stopped
from uap_core.ui.sidebar import Setup, chosen
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.why import lipschitz as lipschitz_view
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import awaited, chart, download, hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.experiments.label_graph import Move
    from uap_core.experiments.normals import SingularRow, SubspaceRow

BOUNDARIES = _(r"""
#### Do the boundaries share directions?
$N = [\,r(x_1)/\|r(x_1)\|_2,\ \ldots,\ r(x_n)/\|r(x_n)\|_2\,]$, where $r(x)$ is the smallest step over the boundary around $x$
that DeepFool finds: each column is a normal of the boundary. How fast do the singular values of $N$ fall?
""")
BOUNDARIES_READ = _(r"""
Normals that have nothing in common give the same singular values as random unit vectors. The more the first ones stand above
those, the more the boundaries around different images agree. The second chart asks what that is worth: a random vector
from the span of the first $d'$ singular vectors is added to images whose normals were not used, beside a random vector of the
same length from the full space. Every image gets a vector of its own; bands are 95 % Wilson intervals. The paper found 38 %
against 10 % on CaffeNet, for $d' = 100$ and length 2000 (its section 5 and Figure 9). On 64 pixels a length of 2000 is 3.5
times as much a pixel as on 224, so half of it is shown too.
""")
DIRECTIONS = _(r"""
#### Which directions matter?
$P[\,k(\mathrm{clip}(x + \rho\, u)) \ne k(x)\,]$ against the length $\rho$, for unit directions $u = v/\|v\|_2$: the universal
pattern, the sum $\sum_i r(x_i)/\|r(x_i)\|_2$ of adversarial directions, a single one, a single FGSM direction
$\mathrm{sign}\,\nabla_x J(x_i, k(x_i))$, a random one, and the mean image.
""")
DIRECTIONS_READ = _(r"""
Directions of one image are made for *another* picture than the one that they are added to, drawn anew for each. If
perturbations of single images were all there is, their sum should do as well as the universal pattern. It does not: crafting
finds more than a mean of attacks. If sensitivity were the same everywhere, random vectors should do as well: they
do not either. At length 2000 the paper found 85, 43, 37, 29, 11 and 2 % on CaffeNet, in this order (its Figure 8).
""")
LABELS = _(r"""
#### Where do the labels go?
An arrow $i \to j$ says that images with the clean label $k(x) = i$ become $k(x + v) = j$ more often than anything else.
""")
LABELS_READ = _(r"""
Nobody asked the pattern for any label, and yet a few **dominant labels** swallow most images (the paper's Figure 7). One
explanation is that their regions are large: whatever direction is taken, one soon arrives there. An arrow is the thicker the
larger the share of its label's images that takes it; labels that mostly stay what they are have none.
""")
LATEX: list[dict[str, str | bool]] = [{"left": "$", "right": "$", "display": False}]
LIVE_NORMALS, LIVE_IMAGES = 64, 100
Live = Callable[[list[gr.Button], str], None]  # lays out when the buttons of a live run are offered


@dataclass(frozen=True)
class Section:
    """``outputs`` of a section, its sentence first, and what they are for a network that has precomputed tables, or has not."""

    outputs: list[Any]
    stored: Callable[[str], tuple[Any, ...]]


def build(studio: Studio, setup: Setup, tab: gr.Tab) -> None:
    """Lay out the tab and wire it. Nothing is read or drawn before ``tab`` is chosen for the first time."""
    live = partial(offer_where_right, studio, setup, tab)
    sections = [part(studio, setup, live) for part in (_boundaries, _directions, _labels)]

    def stored(network: str) -> tuple[Any, ...]:
        return tuple(value for section in sections for value in section.stored(network))

    keep_fresh(setup, tab, stored, [setup.network], [component for section in sections for component in section.outputs])
    lipschitz_view.build(studio, setup, tab)


def _frame(
    live: Live, question: str, prefix: str, charts: list[str], downloads: dict[str, str], explanation: str
) -> tuple[Any, ...]:
    """Question, buttons, sentence, charts, downloads, explanation: what every section has, in this order."""
    gr.Markdown(question, latex_delimiters=LATEX, elem_classes="explain")
    with gr.Row():
        run = gr.Button(_("Measure now"), variant="primary", elem_id=f"{prefix}-run")
        stop = gr.Button(_("Stop"), variant="stop", scale=0, min_width=120, elem_id=f"{prefix}-stop")
    live([run], f"{prefix}-live-note")
    outputs: list[Any] = [gr.HTML(awaited(), elem_id=f"{prefix}-status"), *(chart(name) for name in charts)]
    with gr.Row():
        outputs += [download(label, name) for name, label in downloads.items()]
    gr.Markdown(explanation, latex_delimiters=LATEX, elem_classes="explain")
    return run, stop, outputs


def _wire(studio: Studio, run: Any, stop: Any, measure: Callable[..., Any], inputs: list[Any], outputs: list[Any]) -> None:
    stopped = _("Stopped. What was drawn stays.")
    run_until_stopped(run, stop, studio.heavy(len(outputs), 0)(measure), inputs, outputs, stopped)


def _missing(outputs: list[Any]) -> tuple[Any, ...]:
    return status(_("Not precomputed for this network.")), *(hide() for _ in outputs[1:])


def _boundaries(studio: Studio, setup: Setup, live: Live) -> Section:
    downloads = {"normals-csv": _("The singular values (.csv)"), "subspace-csv": _("The rates (.csv)")}
    run, stop, outputs = _frame(live, BOUNDARIES, "normals", ["normals-chart", "subspace-chart"], downloads, BOUNDARIES_READ)

    def drawn(values: list[SingularRow], rates: list[SubspaceRow], title: str) -> tuple[Any, ...]:
        from uap_core.plots.geometry import singular_figure, subspace_figure

        second = show(subspace_figure(rates, title)) if rates else gr.skip()
        return show(singular_figure(values, title)), second

    def files(values: list[SingularRow], rates: list[SubspaceRow]) -> tuple[Any, ...]:
        second = show(offer("subspaces.csv", to_csv(rates).encode())) if rates else gr.skip()
        return show(offer("singular-values.csv", to_csv(values).encode())), second

    def stored(network: str) -> tuple[Any, ...]:
        from uap_core.experiments.normals import SingularRow, SubspaceRow

        values = studio.precomputed(f"{network}-normals", SingularRow)
        rates = studio.precomputed(f"{network}-subspace", SubspaceRow)
        if values is None or rates is None:
            return _missing(outputs)
        stated = rates.provenance
        said = _("Precomputed, {date}: normals of {normals_of}, rates on {measured_on} ({images}).").format(
            date=stated["time"][:10],
            normals_of=stated["normals_of"],
            measured_on=stated["measured_on"],
            images=stated["held_out"],
        )
        title = _("{network} (precomputed)").format(network=network_name(studio, network))
        return status(said), *drawn(values.rows, rates.rows, title), *files(values.rows, rates.rows)

    def measure(network: str) -> Iterator[tuple[Any, ...]]:
        import torch

        from uap_core.experiments.normals import (
            DIMENSIONS,
            NAMES,
            SingularRow,
            SubspaceRow,
            lengths,
            spectrum,
            subspace_rates,
            unit_normals,
        )
        from uap_core.metrics import predict

        yield progress_note(_("Opening network and images…"), 0), *(hide(),) * 4
        classifier, (craft, images) = studio.classifier(network), studio.some(network, LIVE_NORMALS, LIVE_IMAGES)
        title, generator = (
            _("{network}: {images} (live)").format(network=classifier.card.name, images=studio.live_set_name(network)),
            torch.Generator().manual_seed(0),
        )
        normals, values, rates = torch.empty(0), list[SingularRow](), list[SubspaceRow]()
        for batch in unit_normals(classifier, craft):
            normals = torch.cat([normals, batch]) if len(normals) else batch
            if len(normals):
                values = spectrum(normals, torch.Generator().manual_seed(0))
                note = progress_note(
                    _("Normals of {done} of {count} images…").format(done=len(normals), count=len(craft)),
                    0.5 * len(normals) / len(craft),
                )
                yield note, *drawn(values, rates, title), *files(values, rates)
        clean, norms = predict(classifier, images.batches()), lengths(classifier.size)
        total = len(norms) * (2 + sum(dimension < len(normals) for dimension in DIMENSIONS))
        for row in subspace_rates(classifier, normals, images, clean, norms, generator):
            rates.append(row)
            note = progress_note(
                _("{space}, {count} dimensions: {rate}").format(
                    space=_(NAMES[row.space]), count=row.dimension, rate=row.fooling_rate
                ),
                0.5 + 0.5 * len(rates) / total,
            )
            yield note, gr.skip(), drawn(values, rates, title)[1], *files(values, rates)
        said = _("Live: normals of {count} and rates on {other_count} other {images}.").format(
            count=len(normals), other_count=len(images), images=studio.live_set_name(network)
        )
        yield status(said), *(gr.skip(),) * 4

    _wire(studio, run, stop, measure, [setup.network], outputs)
    return Section(outputs, stored)


def _directions(studio: Studio, setup: Setup, live: Live) -> Section:
    csv = {"directions-csv": _("These points (.csv)")}
    run, stop, outputs = _frame(live, DIRECTIONS, "directions", ["directions-chart"], csv, DIRECTIONS_READ)

    def stored(network: str) -> tuple[Any, ...]:
        from uap_core.experiments.directions import DirectionRow
        from uap_core.plots.geometry import directions_figure

        table = studio.precomputed(f"{network}-directions", DirectionRow)
        if table is None:
            return _missing(outputs)
        stated = table.provenance
        said = _("Precomputed, {date}: directions of {normals_of}, rates on {measured_on} ({images}).").format(
            date=stated["time"][:10],
            normals_of=stated["normals_of"],
            measured_on=stated["measured_on"],
            images=stated["held_out"],
        )
        title = _("{network} (precomputed)").format(network=network_name(studio, network))
        figure = drawn_once(directions_figure, table.rows, title)
        return status(said), show(figure), show(offer("directions.csv", to_csv(table.rows).encode()))

    def measure(network: str, pattern: str, own: dict[str, Pattern]) -> Iterator[tuple[Any, ...]]:
        import torch

        from uap_core.experiments.directions import (
            NAMES,
            NORMS,
            adversarial_directions,
            blind_directions,
            direction_rates,
            fast_directions,
        )
        from uap_core.experiments.normals import unit_normals
        from uap_core.metrics import predict
        from uap_core.plots.geometry import DIRECTION_STYLES, directions_figure

        yield progress_note(_("Opening network and images…"), 0), hide(), hide()
        classifier, (craft, images) = studio.classifier(network), studio.some(network, LIVE_NORMALS, LIVE_IMAGES)
        perturbation, generator = studio.perturbation(pattern, network, own), torch.Generator().manual_seed(0)
        title = _("{pattern} on {network}: {count} {images} (live)").format(
            pattern=perturbation.name, network=classifier.card.name, count=len(images), images=studio.live_set_name(network)
        )
        clean, rows = predict(classifier, images.batches()), []
        share = 0.7 / (len(DIRECTION_STYLES) * len(NORMS))

        def told(draws: Any, before: float) -> Iterator[tuple[Any, ...]]:
            for row in direction_rates(classifier, images, clean, draws):
                rows.append(row)
                note = progress_note(
                    f"{_(NAMES[row.direction])}, l2 {row.norm * 255:.0f}/255: {row.fooling_rate}", before + share * len(rows)
                )
                yield note, show(directions_figure(rows, title)), show(offer("directions.csv", to_csv(rows).encode()))

        yield from told(blind_directions(perturbation.pattern, craft, generator), 0)
        yield from told(fast_directions(classifier, craft, generator), 0)
        found: list[Any] = []
        for batch in unit_normals(classifier, craft):
            found.append(batch)
            done = sum(map(len, found))
            note = progress_note(
                _("DeepFool on {done} of {count} images…").format(done=done, count=len(craft)),
                share * len(rows) + 0.3 * done / len(craft),
            )
            yield note, gr.skip(), gr.skip()
        yield from told(adversarial_directions(torch.cat(found), generator), 0.3)
        said = _("Live: {points} points on {count} {images}, directions of {others} others.").format(
            points=len(rows), count=len(images), images=studio.live_set_name(network), others=len(craft)
        )
        yield status(said), gr.skip(), gr.skip()

    _wire(studio, run, stop, measure, [setup.network, setup.pattern, setup.own], outputs)
    return Section(outputs, stored)


def _labels(studio: Studio, setup: Setup, live: Live) -> Section:
    csv = {"labels-csv": _("All moves (.csv)")}
    run, stop, outputs = _frame(live, LABELS, "labels", ["labels-chart"], csv, LABELS_READ)

    def stored(network: str) -> tuple[Any, ...]:
        from uap_core.experiments.label_graph import Move
        from uap_core.plots.labels import labels_figure

        table = studio.precomputed(f"{network}-dominant", Move)
        if table is None:
            return _missing(outputs)
        note = _("Precomputed, {date}, on {images}: {parts}.").format(
            date=table.provenance["time"][:10], images=table.provenance["held_out"], parts=_parts(table.rows)
        )
        title = _("{network} under its l2 pattern (precomputed)").format(network=network_name(studio, network))
        figure = drawn_once(labels_figure, table.rows, title)
        return status(note), show(figure), show(offer("labels.csv", to_csv(table.rows).encode()))

    def measure(network: str, pattern: str, own: dict[str, Pattern], epsilon: float) -> Iterator[tuple[Any, ...]]:
        from uap_core.experiments.label_graph import label_moves
        from uap_core.plots.labels import labels_figure

        yield progress_note(_("Opening network and images…"), 0), hide(), hide()
        classifier, perturbation = studio.classifier(network), chosen(studio, network, pattern, own, epsilon)
        images = studio.craft_and_held_out(network)[1]
        moves: list[Move] = []
        for moves in label_moves(classifier, perturbation, images):
            seen = sum(move.images for move in moves)
            note = progress_note(_("{done} of {count} images…").format(done=seen, count=len(images)), seen / len(images))
            title = _("{network} under {pattern}: {count} {images} (live)").format(
                network=classifier.card.name, pattern=perturbation.name, count=seen, images=studio.live_set_name(network)
            )
            yield note, show(labels_figure(moves, title)), show(offer("labels.csv", to_csv(moves).encode()))
        said = _("Live on {count} {images}, {ball}: {parts}.").format(
            count=len(images), images=studio.live_set_name(network), ball=perturbation.ball, parts=_parts(moves)
        )
        yield status(said), gr.skip(), gr.skip()

    _wire(studio, run, stop, measure, [setup.network, setup.pattern, setup.own, setup.epsilon], outputs)
    return Section(outputs, stored)


def _parts(moves: list[Move]) -> str:
    """How the graph hangs together, in words."""
    from uap_core.experiments.label_graph import components, edges

    graph = edges(moves)
    labels, parts = len({move.label for move in moves}), len(components(graph))
    return ngettext(
        "{moved} of {labels} labels become another one, and the arrows form {parts} connected part",
        "{moved} of {labels} labels become another one, and the arrows form {parts} connected parts",
        parts,
    ).format(moved=len(graph), labels=labels, parts=parts)
