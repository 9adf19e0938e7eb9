"""A section of the tab Why: do the boundaries around different images share directions?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.ui.html.words import photographs, plain
from uap_core.ui.runtime.charts import drawn_once
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.tabs.why import frame as room
from uap_core.ui.tabs.why.frame import Frame, Page, Words, frame, wire
from uap_core.ui.titles import network_name
from uap_core.ui.widgets import offer, progress_note, show, status

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.datasets.image_sets import ImageSet
    from uap_core.experiments.normals import SingularRow, SubspaceRow
    from uap_core.models.classifier import Classifier

QUESTION = _(r"""
#### Do the boundaries share directions?
$N = [\,r(x_1)/\|r(x_1)\|_2,\ \ldots,\ r(x_n)/\|r(x_n)\|_2\,]$, where $r(x)$ is the smallest step over the boundary around $x$
that DeepFool finds: each column is a normal of the boundary. How fast do the singular values of $N$ fall?
""")
READING = _(r"""
Normals that have nothing in common give the same singular values as random unit vectors. The more the first ones stand above
those, the more the boundaries around different images agree. The second chart asks what that is worth: a random vector
from the span of the first $d'$ singular vectors is added to images whose normals were not used, beside a random vector of the
same length from the full space. Every image gets a vector of its own; bands are 95 % Wilson intervals. The paper found 38 %
against 10 % on CaffeNet, for $d' = 100$ and length 2000 (its section 5 and Figure 9). On 64 pixels a length of 2000 is 3.5
times as much a pixel as on 224, so half of it is shown too.
""")
WORDS = Words(
    "normals",
    QUESTION,
    READING,
    ("normals-chart", "subspace-chart"),
    {"normals-csv": _("The singular values (.csv)"), "subspace-csv": _("The rates (.csv)")},
    (50.0, 240.0),
)


@dataclass(frozen=True)
class Boundaries:
    """What the section's events answer."""

    page: Page
    frame: Frame

    def stored(self, network: str) -> dict[str, Any]:
        """What was precomputed for this network, if anything was."""
        from uap_core.experiments.normals import SingularRow, SubspaceRow
        from uap_core.plots.geometry import singular_figure, subspace_figure

        studio = self.page.studio
        values = studio.precomputed(f"{network}-normals", SingularRow)
        rates = studio.precomputed(f"{network}-subspace", SubspaceRow)
        if values is None or rates is None:
            return self.frame.missing(_("Not precomputed for this network."))
        stated = rates.provenance
        said = _("Precomputed, {date}: normals of {normals_of}, rates on {measured_on} ({images}).").format(
            date=stated["time"][:10],
            normals_of=stated["normals_of"],
            measured_on=stated["measured_on"],
            images=photographs(stated["held_out"]),
        )
        title = _("{network} (precomputed)").format(network=network_name(studio, network))
        charts = {
            "normals-chart": show(drawn_once(singular_figure, values.rows, title)),
            "subspace-chart": show(drawn_once(subspace_figure, rates.rows, title)),
        }
        return {"said": status(said)} | charts | files(values.rows, rates.rows)

    def measure(self, network: str) -> Iterator[dict[str, Any]]:
        """The singular values as normals come in, then the rates."""
        yield self.frame.missing("") | {"said": progress_note(_("Opening network and images…"), 0)}
        studio = self.page.studio
        classifier, (craft, images) = studio.classifier(network), studio.some(network, room.LIVE_NORMALS, room.LIVE_IMAGES)
        seen = studio.live_set_name(network)
        title = _("{network}: {images} (live)").format(network=plain(classifier.card.name), images=seen)
        normals, values = yield from _normals(classifier, craft, title)
        yield from _rates(classifier, images, normals, values, title)
        said = _("Live: normals of {count} and rates on {other_count} other {images}.")
        said = said.format(count=len(normals), other_count=len(images), images=seen)
        yield {"said": status(said)}


def _normals(classifier: Classifier, craft: ImageSet, title: str) -> Any:
    """Steps of the run; returns the normals and their singular values."""
    import torch

    from uap_core.experiments.normals import spectrum, unit_normals

    normals, values, pace = torch.empty(0), list[Any](), Pace()
    for batch in unit_normals(classifier, craft):
        normals = torch.cat([normals, batch]) if len(normals) else batch
        if len(normals):
            values = spectrum(normals, torch.Generator().manual_seed(0))
            note = {"said": pace.note(len(normals), len(craft), _("Normals"))}
            yield note | drawn(values, [], title) | files(values, [])
    return normals, values


def _rates(
    classifier: Classifier, images: ImageSet, normals: Tensor, values: list[SingularRow], title: str
) -> Iterator[dict[str, Any]]:
    import torch

    from uap_core.experiments.normals import DIMENSIONS, NAMES, lengths, subspace_rates
    from uap_core.metrics import predict

    clean, norms, generator = predict(classifier, images.batches()), lengths(classifier.size), torch.Generator().manual_seed(0)
    total = len(norms) * (2 + sum(dimension < len(normals) for dimension in DIMENSIONS))
    rates, pace = list[Any](), Pace()
    for row in subspace_rates(classifier, normals, images, clean, norms, generator):
        rates.append(row)
        said = _("{space}, {count} dimensions: {rate:.0%} fooled")
        said = said.format(space=_(NAMES[row.space]), count=row.dimension, rate=row.fooling_rate.value)
        yield {"said": pace.note(len(rates), total, said)} | drawn(values, rates, title) | files(values, rates)


def drawn(values: list[SingularRow], rates: list[SubspaceRow], title: str) -> dict[str, Any]:
    """Both charts; the second stays as it is while there are no rates."""
    from uap_core.plots.geometry import singular_figure, subspace_figure

    second = {"subspace-chart": show(subspace_figure(rates, title))} if rates else {}
    return {"normals-chart": show(singular_figure(values, title))} | second


def files(values: list[SingularRow], rates: list[SubspaceRow]) -> dict[str, Any]:
    """Both files; the second stays as it is while there are no rates."""
    second = {"subspace-csv": show(offer("subspaces.csv", to_csv(rates).encode()))} if rates else {}
    return {"normals-csv": show(offer("singular-values.csv", to_csv(values).encode()))} | second


def build(page: Page) -> None:
    """Lay the section out and wire it."""
    found = frame(page, WORDS)
    views = Boundaries(page, found)
    wire(page, found, views.stored, views.measure, [page.setup.network])
