"""How often does one pattern fool a small network? Crafted by SPGD on digits, counted on digits never seen."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from uap_core.crafting.base import Crafter
from uap_core.crafting.spgd import SPGD
from uap_core.datasets.digits import digit_set
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import LINF, Ball
from uap_core.perturbations.perturbation import apply

BALL = Ball(LINF, 0.15)
CRAFT_DIGITS, HELD_OUT = 300, 500
CRAFT_SEED, HELD_OUT_SEED = 3, 4  # of the drawing
METHOD: Crafter = SPGD(budget=3000, batch_size=50)


@dataclass(frozen=True)
class UniversalRow:
    """How often one pattern within BALL fools ``network`` (key), and how often random signs of the same size do."""

    network: str
    fooled: Rate
    random_signs: Rate


def universal_row(classifier: Classifier) -> UniversalRow:
    """Craft a pattern for the network and count."""
    generator = torch.Generator().manual_seed(0)
    images = digit_set(CRAFT_DIGITS, CRAFT_SEED).pixels
    *_, last = METHOD.craft(classifier, images, BALL, generator)
    x = digit_set(HELD_OUT, HELD_OUT_SEED).images()
    before = predict(classifier, [x])
    signs = BALL.random_signs((3, 28, 28), generator)
    fooled, noise = (fooling_rate(before, predict(classifier, [apply(x, pattern)])) for pattern in (last.perturbation, signs))
    return UniversalRow(classifier.card.key, fooled, noise)
