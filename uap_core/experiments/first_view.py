"""The first view, ready before torch is loaded: what the network says of one photograph at every strength of its pattern.

The words ship in assets/results/opening.json with the hashes they were measured under; if the network or the pattern has
changed since, they are left out and the page fills itself once torch is there.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from uap_core.experiments.apply import Exhibit
from uap_core.experiments.strengths import Answer, Change, change_of, picture_at, shown_square
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.io.paths import MODELS, PERTURBATIONS, RESULTS
from uap_core.models.card import read_card
from uap_core.models.weights import HERE, state
from uap_core.norms import of_levels, to_levels
from uap_core.perturbations.library import library, read_levels

log = logging.getLogger("uap_core.ui")

OPENING = RESULTS / "opening.json"
STEPS = 32  # strengths, from 0 to the slider's end
LARGEST = 32.0  # levels: where the slider ends for patterns of an l_inf ball


@dataclass(frozen=True)
class Opening:
    """The view shown first. ``said`` are the answers by mode ("pattern", "noise") and strength in levels; photograph, network
    and pattern by their keys."""

    view: Exhibit
    scaled: Change
    said: dict[tuple[str, float], Answer]
    photo: str
    network: str
    pattern: str
    epsilon: float

    @property
    def change(self) -> np.ndarray:
        """The pattern (S,S,3) in units of [0,1]."""
        return of_levels(self.scaled.at(self.epsilon))


def load_opening(path: Path = OPENING) -> Opening | None:
    """The first view, or None if it is missing, damaged or outdated."""
    try:
        return _opening(path) if path.is_file() else None
    except Exception:  # a damaged file must not keep the page from opening
        log.exception("passed over %s", path.name)
        return None


def _opening(path: Path) -> Opening | None:
    stored = json.loads(path.read_text(encoding="utf-8"))
    card = read_card(MODELS / f"{stored['network']}.json")
    pattern_file = PERTURBATIONS / stored["pattern"]
    known = state(card) == HERE and card.is_weights(stored["weights_sha256"])
    if not known or stored["pattern_sha256"] != digest(pattern_file):
        return None
    photo = next(photo for photo in SAMPLE_PHOTOS if photo.key == stored["photo"])
    change, level = _change(pattern_file), stored["epsilon"]
    clean = shown_square(photo.open(), card)
    before, after = ([(label, value) for label, value in stored[name]] for name in ("before", "after"))
    numbers = {name: stored[name] for name in ("linf", "l2", "psnr", "ssim")}
    view = Exhibit(clean, picture_at(clean, change, level), before, after, **numbers)
    said = {(mode, float(at)): Answer(**answer) for mode, told in stored["said"].items() for at, answer in told.items()}
    return Opening(view, change, said, f"sample:{photo.key}", card.key, pattern_file.name, level)


def _change(pattern_file: Path) -> Change:
    ball = next(entry.ball for entry in library() if entry.key == pattern_file.name)
    return change_of(read_levels(pattern_file).astype(np.float64), ball.p, to_levels(ball.radius))


def write_opening(network: str, pattern_file: Path, photo: str) -> None:
    """Measure the first view and write it; ``pattern_file`` is of the library, within an l_inf ball."""
    from uap_core.experiments.strengths import answers, exhibit_of, noise_of
    from uap_core.models.zoo import load_model

    classifier = load_model(network)
    clean = shown_square(next(sample for sample in SAMPLE_PHOTOS if sample.key == photo).open(), classifier.card)
    change = _change(pattern_file)
    changes = {"pattern": change, "noise": noise_of(change.values.shape[0], change.p, change.radius)}
    levels = [LARGEST * step / STEPS for step in range(STEPS + 1)]
    said = {}
    for mode, one in changes.items():
        told = answers(classifier, (picture_at(clean, one, level) for level in levels))
        said[mode] = {f"{level:g}": asdict(answer) for level, answer in zip(levels, told, strict=True)}
    view = exhibit_of(classifier, clean, picture_at(clean, change, change.radius))
    stored = {
        "photo": photo,
        "network": network,
        "weights_sha256": classifier.weights_hash,
        "pattern": pattern_file.name,
        "pattern_sha256": digest(pattern_file),
        "epsilon": round(change.radius, 4),
        **{name: getattr(view, name) for name in ("before", "after", "linf", "l2", "psnr", "ssim")},
        "said": said,
    }
    OPENING.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def digest(path: Path) -> str:
    """SHA-256 of a small file; empty when it is not there."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
