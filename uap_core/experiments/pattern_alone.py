"""What the network says of the pattern alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from uap_core.experiments.apply import top
from uap_core.images.reading import to_array
from uap_core.models.classifier import Classifier
from uap_core.norms import of_levels, quantise
from uap_core.perturbations.perturbation import Perturbation

GREY = of_levels(128)  # a level that 8 bits have


@dataclass(frozen=True)
class Alone:
    """The pattern on a mid-grey picture ``pixels`` uint8 (S,S,3), and what the network says of that: (label, probability).

    ``grey`` is what it says of the grey picture as it is.
    """

    pixels: np.ndarray
    label: str
    probability: float
    grey: str


def pattern_alone(classifier: Classifier, perturbation: Perturbation) -> Alone:
    """Add the pattern to nothing but grey."""
    plain = torch.full((1, *perturbation.pattern.shape), GREY)
    changed = quantise(plain, perturbation.apply(plain), perturbation.ball)
    with torch.inference_mode():
        before, after = classifier(torch.cat([plain, changed])).softmax(dim=1)
    label, probability = top(classifier, after)[0]
    return Alone(to_array(changed), label, probability, top(classifier, before)[0][0])
