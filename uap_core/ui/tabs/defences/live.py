"""Defences measured now: each against the chosen pattern and against one crafted anew, with a small budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.defences.names import defence_name
from uap_core.defences.transforms import DEFENCES
from uap_core.i18n import _
from uap_core.io.results import to_csv
from uap_core.models.robust_variants import ROBUST, TWINS, twin_key
from uap_core.ui.html.words import plain
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.selection import Selection
from uap_core.ui.state import Studio
from uap_core.ui.tabs.defences.bars import live_marks
from uap_core.ui.tabs.defences.table import conclusion, table_of
from uap_core.ui.uploads import ticked_of
from uap_core.ui.widgets import hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.experiments.defences import Crafting, DefenceRow
    from uap_core.perturbations.perturbation import Perturbation

LIVE_BUDGET, LIVE_CRAFT, LIVE_HELD_OUT = 200, 64, 64  # image-gradients a defence, images to craft on and to measure on
TICKED = ["jpeg-50", "blur-1", "bits-3", ROBUST]  # one of each kind: with the bare network five rows
Step = dict[str, Any]


@dataclass
class Sofar:
    """What a run has found, and how it is called: ``of`` names network and pattern, ``title`` its chart."""

    of: str
    title: str
    total: int
    rows: list[DefenceRow] = field(default_factory=list)
    looked: set[str] = field(default_factory=set)
    pace: Pace = field(default_factory=Pace)

    def crafting(self, found: Crafting) -> Step:
        """A step of crafting; the first of each defence shows what it does so far."""
        if self.rows:
            text = _("Crafting through {defence}").format(defence=defence_name(found.defence))
        else:
            text = _("Crafting on the bare network")
        early = found.so_far if found.defence not in self.looked else None
        self.looked.add(found.defence)
        note = self.pace.note(len(self.rows) + 0.8 * found.share, self.total, text)
        if not early:
            return {"said": note}
        found_so_far = {"said": note, "table": table_of(self.rows, early())}
        before = {"chart": hide(), "csv": hide(), "marks": ""}  # else those of the run before would stay
        return found_so_far if self.rows else found_so_far | before

    def row(self, found: DefenceRow, about: str) -> Step:
        """A row that is whole."""
        from uap_core.plots.defences import defences_figure

        self.rows.append(found)
        said = _("{defence}: measured on {images}").format(defence=defence_name(found.defence), images=about)
        csv = show(offer("defences.csv", to_csv(self.rows).encode()))
        drawn = show(defences_figure(self.rows, self.title))
        note = self.pace.note(len(self.rows), self.total, said)
        marks = live_marks(self.rows, self.of)
        return {"said": note, "table": table_of(self.rows), "chart": drawn, "csv": csv, "marks": marks}


def measure(studio: Studio, chosen: Selection, ticked: Sequence[str]) -> Iterator[Step]:
    """A sentence, the table, its chart, its file and the marks over the bars, in steps. Raises SettingError at strength 0."""
    from uap_core.crafting.default import Default
    from uap_core.experiments.defences import Crafting, defence_rows

    yield {"said": progress_note(_("Opening network and images…"), 0)}
    network, perturbation = chosen.network, _craftable(chosen.perturbation(studio))
    classifier, (craft, held_out) = studio.classifier(network), studio.some(network, LIVE_CRAFT, LIVE_HELD_OUT)
    fronts = [defence for defence in DEFENCES if defence.id in ticked_of(ticked, [defence.id for defence in DEFENCES])]
    twins = {name: studio.classifier(twin_key(network, name)) for name in ticked_of(ticked, twins_offered(studio, network))}
    about = _("{count} {images}").format(count=len(held_out), images=studio.live_set_name(network))
    title = _("{pattern} on {network}: {images} (live)").format(
        pattern=perturbation.name, network=plain(classifier.card.name), images=about
    )
    so_far = Sofar(name_of(network, chosen.pattern), title, 1 + len(fronts) + len(twins))
    method = Default(budget=LIVE_BUDGET)  # as the bars were computed, over which its marks stand
    for found in defence_rows(classifier, fronts, perturbation, craft, held_out, method, 0, twins):
        yield so_far.crafting(found) if isinstance(found, Crafting) else so_far.row(found, about)
    spent = _("{cost} image-gradients a defence on {count} images, measured on {images}").format(
        cost=LIVE_BUDGET, count=len(craft), images=about
    )
    said = _("Live: {spent}. {conclusion}").format(spent=spent, conclusion=conclusion(so_far.rows))
    yield {"said": status(said)}


def name_of(network: str, pattern: str) -> str:
    """What bars and live marks of one choice have in common; only letters that may stand in a style sheet."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in f"{network}--{pattern}")


def twins_offered(studio: Studio, network: str) -> list[str]:
    """The trained twins of a network that are here and that the pictures of its live runs tell the truth about."""
    here = {key for _, key in studio.networks()}
    return [name for name in TWINS if twin_key(network, name) in here and studio.may_share(network, twin_key(network, name))]


def all_choices() -> list[tuple[str, str]]:
    """(name, key) of every defence."""
    return [(defence_name(key), key) for key in (*(defence.id for defence in DEFENCES), *TWINS)]


def offered(studio: Studio, network: str, ticked: Sequence[str]) -> Any:
    """The defences that a live run of this network can take; none where there is no live run."""
    if studio.why_not_live(network):
        return gr.update(visible=False)
    twins = twins_offered(studio, network)
    choices = [(name, key) for name, key in all_choices() if key not in TWINS or key in twins]
    keys = [key for _name, key in choices]
    return gr.update(choices=choices, value=ticked_of(ticked, keys), visible=True)


def _craftable(perturbation: Perturbation) -> Perturbation:
    from uap_core.errors import SettingError

    if not perturbation.ball.radius:
        raise SettingError(_("Crafting needs a strength above 0. Move the slider."))
    return perturbation
