"""The first view, ready before torch is loaded: pictures computed with numpy, labels and numbers as they were measured.

The measured part ships in assets/results/opening.json with the hashes it was measured under; if the network or the pattern
has changed since, the view is left out and the page fills itself once torch is there.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uap_core.experiments.apply import Exhibit
from uap_core.images.photographs import SAMPLE_PHOTOS
from uap_core.images.reading import square
from uap_core.io.paths import MODELS, PERTURBATIONS, RESULTS
from uap_core.models.card import read_card
from uap_core.models.weights import HERE, state
from uap_core.perturbations.library import read_levels

log = logging.getLogger("uap_core.ui")

OPENING = RESULTS / "opening.json"


@dataclass(frozen=True)
class Opening:
    """The exhibit shown first, the pattern's values (S,S,3), and what was chosen: photograph, network and pattern by their
    keys, epsilon in 255ths."""

    view: Exhibit
    change: np.ndarray
    photo: str
    network: str
    pattern: str
    epsilon: int


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
    clean = np.asarray(square(photo.open(), card.resize_size, card.input_size, card.interpolation))
    levels = read_levels(pattern_file)
    perturbed = np.rint(clean + levels).clip(0, 255).astype(np.uint8)
    numbers = {name: stored[name] for name in ("linf", "l2", "psnr", "ssim")}
    before, after = ([(label, value) for label, value in stored[name]] for name in ("before", "after"))
    view = Exhibit(clean, perturbed, before, after, **numbers)
    keys = f"sample:{stored['photo']}", stored["network"], stored["pattern"]
    return Opening(view, levels / 255, *keys, epsilon=round(255 * numbers["linf"]))


def write_opening(network: str, pattern_file: Path, photo: str) -> None:
    """Measure the first view and write it."""
    from uap_core.experiments.apply import exhibit
    from uap_core.images.reading import preprocess
    from uap_core.models.zoo import load_model
    from uap_core.perturbations.perturbation import load_perturbation

    classifier = load_model(network)
    sample = next(sample for sample in SAMPLE_PHOTOS if sample.key == photo)
    card = classifier.card
    image = preprocess(sample.open(), card.resize_size, card.input_size, card.interpolation)
    view = exhibit(classifier, image, load_perturbation(pattern_file))
    stored = {
        "photo": photo,
        "network": network,
        "weights_sha256": classifier.weights_hash,
        "pattern": pattern_file.name,
        "pattern_sha256": digest(pattern_file),
        "before": view.before,
        "after": view.after,
        "linf": view.linf,
        "l2": view.l2,
        "psnr": view.psnr,
        "ssim": view.ssim,
    }
    OPENING.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def digest(path: Path) -> str:
    """SHA-256 of a small file; empty when it is not there."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
