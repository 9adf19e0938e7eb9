"""What the first view shows, as data for static/first_view.js: pictures, pattern, and the network's words at every strength."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

import numpy as np

from uap_core.errors import ImageError
from uap_core.experiments.strengths import Answer, Change, answers, change_of, noise_of, picture_at, shown_square, times_larger
from uap_core.i18n import _
from uap_core.images.photographs import SAMPLE_PHOTOS, Photo
from uap_core.models.card import Card
from uap_core.models.imagenet import imagenet_classes, parents
from uap_core.ui.gallery import dream_pixels, picture_square
from uap_core.ui.html.words import plain
from uap_core.ui.selection import Selection, class_ids, largest_level
from uap_core.ui.state import Studio
from uap_core.ui.uploads import uploaded
from uap_core.ui.widgets import offer, png_of

STEPS = 32  # strengths that are looked at ahead, from 0 to the slider's end
KEPT = 128
UNSURE = 0.3


@dataclass(frozen=True)
class Looked:
    """A photograph uint8 (S,S,3) and a pattern, together with the noise of its strength: what the words depend on."""

    photo: np.ndarray
    change: Change
    noise: Change
    card: Card
    key: str

    def as_words(self, says: dict[str, dict[str, Any]]) -> str:
        """All words of this view as JSON for the script."""
        return json.dumps({"key": self.key, "says": says})

    def levels(self) -> list[float]:
        """The strengths that are looked at ahead."""
        from uap_core.norms import Ball

        top = largest_level(Ball(self.change.p, self.change.radius / 255))
        return [round(top * step / STEPS, 4) for step in range(STEPS + 1)]


def looked_at(studio: Studio, chosen: Selection) -> Looked:
    """What is chosen. Raises ImageError or PerturbationError when it is gone."""
    card, perturbation = studio.card(chosen.network), chosen.unscaled(studio)
    perturbation.check_fits((card.input_size, card.input_size))
    levels = perturbation.pattern.numpy().transpose(1, 2, 0) * 255.0
    change = change_of(levels, perturbation.ball.p, perturbation.ball.radius * 255)
    return looked(photograph(chosen.photo, card), change, card)


def looked(photo: np.ndarray, change: Change, card: Card) -> Looked:
    """A photograph and a change under a key of their contents."""
    digest = hashlib.sha256(photo.tobytes() + change.values.tobytes())
    digest.update(f"{card.key} {change.unit} {change.p} {change.radius}".encode())
    noise = noise_of(change.values.shape[0], change.p, change.radius)
    return Looked(photo, change, noise, card, digest.hexdigest()[:16])


def photograph(photo: str, card: Card) -> np.ndarray:
    """The chosen photograph as it is shown, uint8 (S,S,3). Raises ImageError when there is none."""
    from PIL import Image

    kind, name = photo.partition(":")[::2]
    if kind == "sample" and any(sample.key == name for sample in SAMPLE_PHOTOS):
        return shown(next(sample for sample in SAMPLE_PHOTOS if sample.key == name), card)
    if kind == "dream" and name.isdecimal() and int(name) < len(dream_pixels()):
        return shown_square(Image.fromarray(dream_pixels()[int(name)]).resize((448, 448), Image.Resampling.NEAREST), card)
    if kind == "upload":
        return shown(uploaded(name), card)
    raise ImageError(_("Choose a photograph first, or upload one."))


def shown(picture: Photo | Path, card: Card) -> np.ndarray:
    """``shown_square`` of a sample photograph or a file, cached."""
    times = times_larger(card)
    return picture_square(picture, card.resize_size * times, card.input_size * times, card.interpolation)


class Words:
    """What networks said of pictures, kept for all visitors: each (key, mode, strength) is asked once."""

    def __init__(self) -> None:
        self._said: OrderedDict[tuple[str, str, float], Answer] = OrderedDict()
        self._lock = Lock()

    def of(self, studio: Studio, now: Looked, wanted: Sequence[tuple[str, float]]) -> dict[tuple[str, float], Answer]:
        """The answers at ``wanted`` modes ("pattern" or "noise") and strengths; those not yet known are asked in one go."""
        with self._lock:
            known = {place: self._said[(now.key, *place)] for place in wanted if (now.key, *place) in self._said}
        missing = [place for place in dict.fromkeys(wanted) if place not in known]
        if missing:
            changes = {"pattern": now.change, "noise": now.noise}
            pictures = (picture_at(now.photo, changes[mode], level) for mode, level in missing)
            found = dict(zip(missing, answers(studio.classifier(now.card.key), pictures), strict=True))
            known |= found
            self.learn(now, found)
        return known

    def kept(self, now: Looked) -> dict[tuple[str, float], Answer]:
        """What is known of a view already."""
        places = [(mode, level) for mode in ("pattern", "noise") for level in now.levels()]
        with self._lock:
            return {place: self._said[(now.key, *place)] for place in places if (now.key, *place) in self._said}

    def learn(self, now: Looked, found: dict[tuple[str, float], Answer]) -> None:
        """Keep answers; the oldest go when there are too many."""
        with self._lock:
            self._said.update({(now.key, *place): answer for place, answer in found.items()})
            while len(self._said) > KEPT * 2 * (STEPS + 1):
                self._said.popitem(last=False)


WORDS = Words()


def knows(photo: str, card: Card, clean: Answer) -> str:
    """Whether the network's first answer is one that a person accepts: "right" or "wrong"; "noname" of a thing that it has no
    class for; "own" of a visitor's picture, "unsure" of one that it hardly knows; "dream" of a class impression."""
    kind, name = photo.partition(":")[::2]
    if kind == "upload":
        return "own" if clean.sure >= UNSURE else "unsure"
    if kind == "dream":
        return "dream"
    sample = next(sample for sample in SAMPLE_PHOTOS if sample.key == name)
    classes = class_ids(card)
    if classes is not None and not classes.intersection(sample.shows):
        return "noname"
    return "right" if wnid(card, clean.index) in sample.shows else "wrong"


def wnid(card: Card, index: int) -> str:
    """The WordNet id of a network's class; empty where the card has none."""
    if isinstance(card.classes, list):
        return str(card.classes[index]["wnid"])
    ids = imagenet_classes()[1]
    return ids[index] if index < len(ids) else ""


def happened(card: Card, clean: Answer, now: Answer) -> str:
    """ "same", "changed", or "near": to a class with the same parent in WordNet."""
    if now.index == clean.index:
        return "same"
    was, became = (parents().get(wnid(card, answer.index)) for answer in (clean, now))
    return "near" if was is not None and was == became else "changed"


def payload(
    photo: str,
    now: Looked,
    said: dict[tuple[str, float], Answer],
    lead: str,
    leads: list[str],
    foreign: str,
    strength: float,
) -> str:
    """All that the script needs, as JSON; ``lead`` is plain text, ``leads`` those by the slider's steps, ``foreign`` HTML."""
    clean = said["pattern", 0.0]
    return json.dumps(
        {
            "key": now.key,
            "photo": photo,
            "sight": sight(photo),
            "src": link(offer("photograph.png", png_of(now.photo))),
            "side": now.photo.shape[0],
            "pattern": _sent(now.change),
            "noise": _sent(now.noise),
            "strength": strength,
            "top": now.levels()[-1],
            "input": now.card.input_size,
            "network": plain(now.card.name),
            "knows": knows(photo, now.card, clean),
            "clean": [clean.label, round(clean.sure, 4)],
            "says": words(now.card, clean, said),
            "complete": all((mode, level) in said for mode in ("pattern", "noise") for level in now.levels()),
            "lead": lead,
            "leads": leads,
            "foreign": foreign,
        }
    )


def words(card: Card, clean: Answer, said: dict[tuple[str, float], Answer]) -> dict[str, dict[str, Any]]:
    """The answers by mode and strength: label, probability, what happened."""
    told: dict[str, dict[str, Any]] = {"pattern": {}, "noise": {}}
    for (mode, level), answer in said.items():
        told[mode][f"{level:g}"] = [answer.label, round(answer.sure, 4), happened(card, clean, answer)]
    return told


def sight(photo: str) -> str:
    """What a person sees, with its article; empty for a visitor's picture and for class impressions."""
    name = photo.partition(":")[2]
    return next((sample.sight for sample in SAMPLE_PHOTOS if photo == f"sample:{name}" and sample.key == name), "")


def _sent(change: Change) -> dict[str, Any]:
    """A change by the address of a file of int16 (s,s,3): the browser keeps what it has fetched once."""
    values = np.ascontiguousarray(change.values, dtype="<i2")
    return {
        "src": link(offer("change.bin", values.tobytes())),
        "side": values.shape[0],
        "unit": change.unit,
        "norm": change.p,
        "radius": change.radius,
    }


def link(path: str) -> str:
    """Where the page fetches a file that we offer."""
    return f"gradio_api/file={quote(Path(path).as_posix())}"


def holder(data: str) -> str:
    """JSON in an element that nobody sees; an attribute, since scripts in HTML that arrives later are not read."""
    return f'<div hidden data-view="{escape(data, quote=True)}"></div>'
