"""A section of the tab Why: which directions matter?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uap_core.i18n import _
from uap_core.io.results import Table, to_csv
from uap_core.ui.html.words import photographs, plain
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.state import Pattern
from uap_core.ui.tabs.why import frame as room
from uap_core.ui.tabs.why.frame import Frame, Page, Words, frame, wire
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation

QUESTION = _(r"""
#### Which directions matter?
$P[\,k(\mathrm{clip}(x + \rho\, u)) \ne k(x)\,]$ against the length $\rho$, for unit directions $u = v/\|v\|_2$: the universal
pattern, the sum $\sum_i r(x_i)/\|r(x_i)\|_2$ of adversarial directions, a single one, a single FGSM direction
$\mathrm{sign}\,\nabla_x J(x_i, k(x_i))$, a random one, and the mean image.
""")
READING = _(r"""
Directions of one image are made for *another* picture than the one that they are added to, drawn anew for each. If
perturbations of single images were all there is, their sum should do as well as the universal pattern. It does not: crafting
finds more than a mean of attacks. If sensitivity were the same everywhere, random vectors should do as well: they
do not either. At length 2000 Moosavi-Dezfooli et al. (2017, Figure 8) found 85, 43, 37, 29, 11 and 2 % on CaffeNet, in this
order.
""")
WORDS = Words(
    "directions", QUESTION, READING, ("directions-chart",), {"directions-csv": _("These points (.csv)")}, (40.0, 200.0)
)


@dataclass(frozen=True)
class Directions:
    """What the section's events answer."""

    page: Page
    frame: Frame

    def stored(self, network: str) -> dict[str, Any]:
        """What was precomputed for this network, if anything was."""
        from uap_core.plots.geometry import directions_figure

        table = self._table(network)
        if table is None:
            return self.frame.missing(_("Not precomputed for this network."))
        stated = table.provenance
        said = _("Precomputed, {date}: directions of {normals_of}, rates on {measured_on} ({images}).").format(
            date=stated["time"][:10],
            normals_of=stated["normals_of"],
            measured_on=stated["measured_on"],
            images=photographs(stated["held_out"]),
        )
        figure = drawn_once(directions_figure, table.rows, self._title(network))
        csv = show(offer("directions.csv", to_csv(table.rows).encode()))
        return {"said": status(said), "directions-chart": show(figure), "directions-csv": csv}

    def _table(self, network: str) -> Table | None:
        from uap_core.experiments.directions import DirectionRow

        found: Table | None = self.page.studio.precomputed(f"{network}-directions", DirectionRow)
        return found

    def _title(self, network: str) -> str:
        return _("{network} and its l2 pattern (precomputed)").format(network=network_name(self.page.studio, network))

    def cleared(self, network: str, _pattern: str) -> dict[str, Any]:
        """The chart without what a run left."""
        return {"said": "", "directions-chart": self.stored(network)["directions-chart"], "directions-csv": hide()}

    def measure(self, network: str, pattern: str, own: dict[str, Pattern]) -> Iterator[dict[str, Any]]:
        """The points as they come, those that cost no gradient first."""
        yield {"said": progress_note(_("Opening network and images…"), 0), "directions-csv": hide()}
        studio = self.page.studio
        classifier, (craft, images) = studio.classifier(network), studio.some(network, room.LIVE_NORMALS, room.LIVE_IMAGES)
        perturbation, seen = studio.perturbation(pattern, network, own), studio.live_set_name(network)
        on = _("live, {pattern}, on {count} {images}").format(pattern=perturbation.name, count=len(images), images=seen)
        table, name = self._table(network), plain(classifier.card.name)
        stored = (table.rows, self._title(network)) if table else ([], name)
        points = yield from _points(classifier, perturbation, craft, images, (*stored, on))
        said = _("Live: {points} points on {count} {images}, directions of {others} others.")
        yield {"said": status(said.format(points=points, count=len(images), images=seen, others=len(craft)))}


def _points(
    classifier: Classifier, perturbation: Perturbation, craft: ImageSet, images: ImageSet, chart: tuple[Any, ...]
) -> Any:
    """Steps of the run, drawn over a ``chart``: its rows, its title, what the points are called. Returns how many there are."""
    import torch

    from uap_core.experiments import directions as given
    from uap_core.experiments.normals import unit_normals
    from uap_core.metrics import predict
    from uap_core.plots.geometry import DIRECTION_STYLES, directions_figure

    clean, rows, found, pace = predict(classifier, images.batches()), list[Any](), list[Any](), Pace()
    before, title, on = chart
    total, generator = len(DIRECTION_STYLES) * len(given.NORMS), torch.Generator().manual_seed(0)

    def told(draws: Any) -> Iterator[dict[str, Any]]:
        for row in given.direction_rates(classifier, images, clean, draws):
            rows.append(row)
            said = f"{_(given.NAMES[row.direction])}, l2 {row.norm * 255:.0f}/255, {row.fooling_rate.value:.0%}"
            csv = show(offer("directions.csv", to_csv(rows).encode()))
            figure = show(directions_figure(before, title, rows, on))
            yield {"said": pace.note(len(rows), total, said), "directions-chart": figure, "directions-csv": csv}

    yield from told(given.blind_directions(perturbation.pattern, craft, generator))
    yield from told(given.fast_directions(classifier, craft, generator))
    for batch in unit_normals(classifier, craft):
        found.append(batch)
        said = _("DeepFool on {done} of {count} images…").format(done=sum(map(len, found)), count=len(craft))
        yield {"said": progress_note(said, len(rows) / total)}
    yield from told(given.adversarial_directions(torch.cat(found), generator))
    return len(rows)


def build(page: Page) -> None:
    """Lay the section out and wire it."""
    found = frame(page, WORDS)
    views = Directions(page, found)
    found.live["directions-chart"] = found.stored["directions-chart"]  # over what was computed
    inputs = [page.setup.network, page.setup.pattern, page.setup.own]
    wire(page, found, views.stored, views.measure, inputs, views.cleared)
