"""The first part of the tab Why: what the network feels, in its features, in its channels, and on the chosen photograph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
import numpy as np

from uap_core.errors import UapError
from uap_core.experiments.strengths import change_of, picture_at
from uap_core.i18n import _
from uap_core.io.results import Table, to_csv
from uap_core.models.imagenet import imagenet_classes
from uap_core.perturbations.library import library, read_levels
from uap_core.ui.gallery import photo_name
from uap_core.ui.html.words import photographs, plain
from uap_core.ui.runtime.lazy_refresh import keep_fresh
from uap_core.ui.runtime.run import run_row
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.selection import Selection, check_level, of_selection, usual
from uap_core.ui.state import Studio
from uap_core.ui.tabs.apply.under import taken_under
from uap_core.ui.tabs.why.dots import dots, gathered, plane_note
from uap_core.ui.tabs.why.felt_tables import FeltTables, felt_tables, first_maps
from uap_core.ui.tabs.why.frame import Page
from uap_core.ui.tabs.why.spotlight import channel_cards, map_note, pair
from uap_core.ui.titles import network_name, plain_names
from uap_core.ui.widgets import awaited, download, hide, offer, problem, progress_note, show, status

TITLE = _("What the network feels")
OPENING = _("Where the pattern brings different photographs inside the network.")
FEATURES = _(
    "Features are the numbers that a network makes of a picture before it answers; which answer it gives depends mostly on"
    " the direction in which they point. Most of what a network computes is adding up, so one fixed change of the picture"
    " tends to push the features of very different photographs in much the same direction: far enough along it, many of them"
    " get the same answer."
)
LOOKS = _("What it looks at in {photo}")
SWITCHED = _("What the pattern switches on")
CHANNELS = _(
    "The channels of the last convolution block whose mean activation rises most, and the class impressions and photographs"
    " that excite each most. What looks like blurred blots are class impressions: pictures made from noise until a network"
    " was sure of a class, whose name the pointer shows. Below them is how much more the channel is excited: what the"
    " pattern makes the network feel everywhere."
)
NOTHING = _("Not precomputed for {network}: a run measures it where one is offered.")
LIVE_IMAGES = 100
SECONDS = (6.0, 60.0)  # of a run on small and on large networks


@dataclass(frozen=True)
class Views:
    """What this part's events answer."""

    studio: Studio

    def stored_felt(self, network: str, pattern: str) -> dict[str, Any]:
        """Features and channels that were precomputed for this network, if they were."""
        found, name = felt_tables(self.studio, network), network_name(self.studio, network)
        if found is None:
            empty = {"said": _heading(TITLE, OPENING), "dots": "", "channels": "", "csv": hide()}
            return empty | {"note": status(NOTHING.format(network=name))}
        made = _("Precomputed {date}: {images}, under {pattern}.").format(
            date=found.plane.provenance["time"][:10],
            images=_counted(len(found.plane.rows), found.plane.provenance["held_out"]),
            pattern=plain_names(self.studio).get(found.pattern, found.pattern),
        )
        source = made
        if found.pattern != pattern:
            source += " " + _("It has not been computed for the pattern that you chose: a run measures it.")
        return self._felt(found, name, source, made)

    def _felt(self, found: FeltTables, name: str, source: str, made: str) -> dict[str, Any]:
        """``source`` stands at the dots, ``made`` at the channels: when and on what these were measured."""
        said = gathered(found.plane.rows, name)
        cards = channel_cards(found.channels.rows, self._class_names(found.network)) if found.channels else ""
        heading = _heading(SWITCHED, f"{CHANNELS} {made}") if cards else ""
        return {
            "said": _heading(TITLE, said),
            "dots": dots(found.plane.rows, said),
            "note": plane_note(found.plane.rows, source),
            "channels": heading + cards,
            "csv": show(offer("features.csv", to_csv(found.plane.rows).encode())),
        }

    def _class_names(self, network: str) -> dict[str, str]:
        """Names of classes by their WordNet ids."""
        classes = self.studio.card(network).classes
        if isinstance(classes, list):
            return {entry["wnid"]: entry["name"] for entry in classes}
        names, ids = imagenet_classes()
        return dict(zip(ids, names, strict=True))

    @of_selection
    def looks(self, chosen: Selection) -> dict[str, Any]:
        """The photograph before and after: precomputed where it is what the page opens with, else by one forward pass."""
        try:
            return {"spots": self._looks(chosen), "error": ""}
        except UapError as error:
            return {"spots": "", "error": problem(str(error))}

    def _looks(self, chosen: Selection) -> str:
        card, name = self.studio.card(chosen.network), photo_name(chosen.photo)
        table = self._stored_maps(chosen)
        if table:
            rows, source = table.rows, _("Precomputed {date}.").format(date=table.provenance["time"][:10])
            before = self.studio.pixels(chosen.photo, card)
            entry = next(entry for entry in library() if entry.key == chosen.pattern)
            change = change_of(read_levels(entry.path).astype(np.float64), entry.ball.p, entry.ball.radius * 255)
            after = picture_at(before, change, chosen.epsilon)
        else:
            from uap_core.experiments.class_map import pair_rows
            from uap_core.images.reading import to_array

            perturbation = chosen.unscaled(self.studio)
            check_level(perturbation.ball, chosen.epsilon)
            both = taken_under(card, chosen.photo, perturbation, (0.0, chosen.epsilon))
            rows = pair_rows(self.studio.classifier(chosen.network), both)
            before, after = to_array(both[:1]), to_array(both[1:])
            source = _("Computed now, under {pattern}.").format(pattern=perturbation.name)
        return _heading(LOOKS.format(photo=name), f"{map_note(rows)} {source}") + pair(before, after, rows, name)

    def _stored_maps(self, chosen: Selection) -> Table | None:
        first = usual(self.studio, chosen.network)
        if (chosen.photo, chosen.pattern) != (first.photo, first.pattern) or abs(chosen.epsilon - first.epsilon) > 1e-6:
            return None
        return first_maps(self.studio, chosen.network, chosen.photo, chosen.pattern)

    @of_selection
    def measure(self, chosen: Selection) -> Iterator[dict[str, Any]]:
        """Features and channels under the chosen pattern at the chosen strength, batch by batch."""
        yield {"note": progress_note(_("Opening network and images…"), 0)}
        import torch

        from uap_core.experiments.feature_channels import channel_rows
        from uap_core.experiments.feature_passes import passes
        from uap_core.experiments.feature_plane import plane_rows
        from uap_core.experiments.shipped_pictures import shipped_pictures

        studio, network = self.studio, chosen.network
        classifier, perturbation = studio.classifier(network), chosen.perturbation(studio)
        images, pace, so_far = studio.some(network, 0, LIVE_IMAGES)[1], Pace(), None
        for so_far in passes(classifier, perturbation, images, torch.Generator().manual_seed(0)):
            yield {"note": pace.note(len(so_far.clean.labels), len(images), _("Images"))}
        assert so_far is not None, "a set has images"
        yield {"note": progress_note(_("Which pictures excite its channels most?"), 0.9)}
        plane = Table("", plane_rows(so_far, classifier.labels), {})
        channels = None
        if so_far.clean.channels is not None:
            channels = Table("", channel_rows(classifier, so_far, shipped_pictures(classifier.card)), {})
        seen = studio.live_set_name(network, len(images))
        source = _("Live: {count} {images}, under {pattern}.").format(count=len(images), images=seen, pattern=perturbation.name)
        yield self._felt(FeltTables(network, chosen.pattern, plane, channels), plain(classifier.card.name), source, source)


def _counted(shown: int, held_out: str) -> str:
    """The photographs that are dots, and of which set they are where that has more."""
    if held_out.startswith(f"{shown} images of "):
        return photographs(held_out)
    return _("{count} of {photographs}").format(count=shown, photographs=photographs(held_out))


def _heading(title: str, said: str) -> str:
    return f'<div class="felt-head"><h3>{escape(title)}</h3><p>{escape(said)}</p></div>'


def build(page: Page) -> None:
    """Lay this part out and wire it. Nothing is read before the tab is chosen."""
    views, studio, setup = Views(page.studio), page.studio, page.setup
    said = gr.HTML(_heading(TITLE, OPENING), elem_id="feels-said")
    gr.HTML(f"<p>{escape(FEATURES)}</p>", elem_id="feels-features")
    drawn = gr.HTML(elem_id="feels-dots")
    note = gr.HTML(awaited(), elem_id="feels-status")
    row = run_row(studio, setup, page.where, "feels", _("Measure your choice ({time})"), SECONDS)
    spots = gr.HTML(elem_id="feels-spots")
    error = gr.HTML(elem_id="feels-spots-error")
    channels = gr.HTML(elem_id="feels-channels")
    csv = download(_("These dots (.csv)"), "feels-csv")
    felt = {"note": note, "said": said, "dots": drawn, "channels": channels, "csv": csv}
    keep_fresh(setup, page.where, views.stored_felt, [setup.network, setup.pattern], felt)
    keep_fresh(setup, page.where, views.looks, setup.inputs, {"error": error, "spots": spots})
    row.wire(views.measure, setup.inputs, felt, _("Stopped. What was drawn stays."), views.stored_felt)
