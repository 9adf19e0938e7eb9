"""The inputs of a command: networks, and named images or the network's class impressions."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from uap_core.errors import DatasetError
from uap_core.models.zoo import Zoo, dreams_for

if TYPE_CHECKING:
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation


def open_zoo(folder: Path | None) -> Zoo:
    """The networks that ship, torchvision's, and those whose cards are in ``folder``."""
    return Zoo([folder] if folder else None)


def craft_and_held_out(classifier: Classifier, data: Path | None) -> tuple[ImageSet, ImageSet]:
    """The craft set and the held-out set of ``data``, or of the network's class impressions, as the network takes them.

    Raises DatasetError where there are no pictures.
    """
    from uap_core.datasets.image_sets import open_splits

    card = classifier.card
    source = _source(classifier, data)
    with said_plainly():
        return open_splits(source, card.resize_size, card.input_size, interpolation=card.interpolation)


def held_out_only(classifier: Classifier, data: Path | None, pattern: Perturbation | None = None) -> ImageSet:
    """The pictures to measure on: a held-out split, else all of them, but for those that ``pattern`` was crafted on."""
    from uap_core.datasets.image_sets import open_held_out

    card, source = classifier.card, _source(classifier, data)
    crafted_on = str(pattern.provenance.get("craft_set", "")) if pattern else ""
    shape = (card.resize_size, card.input_size)
    with said_plainly():
        found = open_held_out(source, *shape, interpolation=card.interpolation, crafted_on=crafted_on)
    if crafted_on.endswith(f" images of {source.stem} (craft)") and found.name == f"{source.stem} (held-out)":
        print(f"Measured on the pictures of {source.name} that the pattern was not crafted on.", file=sys.stderr)
    return found


@contextmanager
def said_plainly() -> Iterator[None]:
    """What a set of pictures warns of, as sentences on the standard error."""
    from uap_core.datasets.halves import BothHalvesWarning

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", BothHalvesWarning)
        yield
    for warning in said:
        print(warning.message, file=sys.stderr)


def _source(classifier: Classifier, data: Path | None) -> Path:
    source = data or dreams_for(classifier.card)
    if source is None:
        raise DatasetError(f"There are no dreams that tell the truth about {classifier.card.name}; name pictures with --data.")
    return source
