"""Across training sets: three small networks learnt from halves that share no picture, and who fools whom among them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uap_core.datasets import imagenette
from uap_core.i18n import _
from uap_core.io.results import Table, to_csv
from uap_core.ui.html.rate_table import rate_table
from uap_core.ui.html.words import photographs
from uap_core.ui.state import Studio
from uap_core.ui.tabs.transfer.stored import MADE
from uap_core.ui.widgets import hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.experiments.disjoint_training import LearnerRow

LIMIT = 2500  # pictures to learn from
ATTACK = "deepfool"


def stored(studio: Studio) -> str:
    """What was precomputed of them."""
    from uap_core.experiments.disjoint_training import LEARNER_NAMES
    from uap_core.experiments.origins import MatrixRow

    table: Table | None = studio.precomputed("halves", MatrixRow)
    if table is None or not table.rows:
        return status(_("Not computed yet: `python -m uap_core halves --data FOLDER` trains and measures."))
    stated = table.provenance
    about = _("Precomputed {date} on {images}, {pictures}.").format(
        date=stated["time"][:10], images=photographs(stated["held_out"]), pictures=stated["pictures"]
    )
    return rate_table(table.rows, LEARNER_NAMES, f"{about} {_accuracies(stated['accuracy'])}", MADE)


def has_photographs(studio: Studio) -> bool:
    """Whether photographs in a folder a class are here to learn from; otherwise digits are drawn."""
    return bool(studio.images) or imagenette.is_here()


def learn(studio: Studio) -> Iterator[dict[str, Any]]:
    """Train the three on photographs, or on drawn digits where none are, then cross them: a sentence, the table, its file."""
    from uap_core.experiments.disjoint_training import LearnerRow, cross_training, draw_for_halves, open_for_halves
    from uap_core.experiments.transfer_examples import made_to_transfer

    here = has_photographs(studio)
    opening = _("Opening the pictures…") if here else _("Drawing digits, since no photographs are here…")
    yield {"said": progress_note(opening, 0), "table": "", "csv": hide()}
    craft, held_out = open_for_halves(_source(studio), LIMIT) if here else draw_for_halves()
    rows, accuracy = list[Any](), dict[str, str]()
    for row in cross_training(craft, held_out, {ATTACK: made_to_transfer(ATTACK, 10 / 255)}, 0):
        if isinstance(row, LearnerRow):
            accuracy[row.network] = f"{row.accuracy.value:.1%}"
            yield {"said": _learning(row)}
        else:
            rows.append(row)
            csv = show(offer("halves.csv", to_csv(rows).encode()))
            yield {"table": _live_table(rows, held_out, accuracy), "csv": csv}
    yield {"said": status(_("Done: trained and measured live."))}


def _learning(row: LearnerRow) -> str:
    from uap_core.experiments.disjoint_training import LEARNER_NAMES

    said = _("{network}, epoch {epoch}: accuracy {accuracy}")
    return progress_note(said.format(network=LEARNER_NAMES[row.network], epoch=row.epoch, accuracy=row.accuracy), row.share)


def _live_table(rows: list[Any], held_out: ImageSet, accuracy: dict[str, str]) -> str:
    from uap_core.experiments.disjoint_training import LEARNER_NAMES

    about = _("Live: fooling rate on {count} images of {images}. {accuracies}").format(
        count=len(held_out), images=held_out.name, accuracies=_accuracies(accuracy)
    )
    return rate_table(rows, LEARNER_NAMES, about, MADE)


def _accuracies(found: dict[str, str]) -> str:
    from uap_core.experiments.disjoint_training import LEARNER_NAMES

    listed = "; ".join(f"{LEARNER_NAMES[key]} {rate.partition(' ')[0]}" for key, rate in found.items())
    return _("Accuracy: {rates}.").format(rates=listed)


def _source(studio: Studio) -> Path:
    return studio.images or imagenette.folder()
