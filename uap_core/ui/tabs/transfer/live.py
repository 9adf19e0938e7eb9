"""Who fools whom, measured now: the library's patterns and the visitor's, on networks of the chosen one's size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.attacks.menu import attack_name
from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.perturbations.library import library
from uap_core.ui.html.rate_table import rate_table, told
from uap_core.ui.html.words import plain
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.transfer.stored import MADE
from uap_core.ui.titles import plain_names
from uap_core.ui.uploads import ticked_of
from uap_core.ui.widgets import hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.experiments.origins import MatrixRow
    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation

LIVE_HELD_OUT, LIVE_IMAGES, LIVE_ATTACK = 100, 32, "deepfool"  # images for patterns, and to make examples for
AT_ONCE = 4  # of these: a run can be stopped between them
Step = dict[str, Any]


@dataclass
class Cells:
    """One run: what it measures with, and the cells so far."""

    networks: list[Classifier]
    held_out: ImageSet
    patterns: dict[str, Perturbation]
    known: dict[str, str]
    seen: str

    def cells(self) -> Iterator[Step]:
        """The cells of patterns, then those of examples, each with how far it is, the tables and the file so far."""
        from uap_core.experiments.transfer_matrix import fooling_matrix, noises

        balls = list(dict.fromkeys(pattern.ball for pattern in self.patterns.values()))
        count = (len(self.patterns) + len(noises(balls, (3, 1, 1), 0))) * len(self.networks)
        about = _("Live: fooling rate on {count} {images}.").format(count=len(self.held_out), images=self.seen)
        pace, found = Pace(), list[Any]()
        for row in fooling_matrix(self.patterns, self.networks, self.held_out, balls, 0):
            found.append(row)
            note, table = pace.note(len(found), count, told(row, self.known)), rate_table(found, self.known, about)
            yield {"said": note, "table": table, "csv": file_of(found)}
        yield from self._examples(found, rate_table(found, self.known, about))

    def _examples(self, before: list[MatrixRow], table: str) -> Iterator[Step]:
        from uap_core.experiments.transfer_examples import cross_steps, made_to_transfer

        few, count = self.held_out.prefix(LIVE_IMAGES), (len(self.networks) + 2) * len(self.networks)
        about = _("Live: examples made for each of {count} {images}.").format(count=len(few), images=self.seen)
        making = _("Making examples for {count} images by {attack}…").format(count=len(few), attack=attack_name(LIVE_ATTACK))
        yield {"said": progress_note(making, 0)}
        pace, made = Pace(), list[Any]()
        attack = made_to_transfer(LIVE_ATTACK, 10 / 255)
        for row in cross_steps(self.networks, few, attack, LIVE_ATTACK, 0, batch_size=AT_ONCE):
            if isinstance(row, float):
                yield {"said": pace.note(row, 1, making)}
                continue
            made.append(row)
            both = table + rate_table(made, self.known, about, MADE)
            note, csv = pace.note(len(made), count, told(row, self.known)), file_of([*before, *made])
            yield {"said": note, "table": both, "csv": csv}
        done = _("Done: {patterns} cells for patterns and {examples} for examples, measured live.")
        yield {"said": status(done.format(patterns=len(before), examples=len(made)))}


def run_of(studio: Studio, network: str, own: dict[str, Pattern], ticked: Sequence[str]) -> Cells:
    """What a run measures with. Raises SettingError when no network is ticked that the pictures tell the truth about."""
    from uap_core.errors import SettingError

    keys = [key for key in ticked_of(ticked, [key for _, key in studio.networks()]) if studio.may_share(network, key)]
    if not keys:
        raise SettingError(_("Tick at least one network."))
    patterns = patterns_of_size(studio, network, own)
    known = plain_names(studio) | {key: found.name for key, found in patterns.items() if key.startswith("own:")}
    seen = studio.live_set_name(network)
    return Cells([studio.classifier(key) for key in keys], studio.some(network, 0, LIVE_HELD_OUT)[1], patterns, known, seen)


def offered(studio: Studio, network: str, ticked: Sequence[str]) -> Any:
    """The networks of this machine that take pictures of the chosen one's size and that its pictures tell the truth about:
    those ``ticked`` stay so, if any is here, otherwise all are."""
    side = studio.card(network).input_size
    alike = [key for _, key in studio.networks() if studio.card(key).input_size == side]
    fitting = [(plain(studio.card(key).name), key) for key in alike if studio.may_share(network, key)]
    keys = [key for _, key in fitting]
    return gr.update(choices=fitting, value=ticked_of(ticked, keys) or keys, visible=bool(fitting))


def patterns_of_size(studio: Studio, network: str, own: dict[str, Pattern]) -> dict[str, Perturbation]:
    """The library's of the network's size, then the visitor's, by their keys."""
    side = studio.card(network).input_size
    ready = {entry.key: studio.perturbation(entry.key, network, own) for entry in library() if entry.side == side}
    fitting = [f"own:{key}" for key, found in own.items() if found.values.shape[1] == side]
    mine = {key: studio.perturbation(key, network, own) for key in fitting}
    yours = {key: replace(found, name=_("{pattern} (yours)").format(pattern=found.name)) for key, found in mine.items()}
    return ready | yours


def file_of(rows: Sequence[MatrixRow]) -> Any:
    """The cells so far to download."""
    return show(offer("transfer.csv", to_csv(rows).encode())) if rows else hide()
