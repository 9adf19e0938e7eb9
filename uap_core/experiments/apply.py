"""One photograph, one pattern, one network: the pictures before and after, what the network sees, how far they are apart.

torch is imported on use: the page shows its first exhibit before torch is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from uap_core.images.reading import to_array
from uap_core.metrics import psnr, ssim
from uap_core.norms import LEVELS, measure, quantise

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation

TOP = 5
GAIN = 10


@dataclass(frozen=True)
class Exhibit:
    """Everything is taken from the 8-bit pictures that are shown and exported, so that the claims hold for those.

    ``clean`` and ``perturbed`` uint8 (S,S,3); ``before`` and ``after`` the five likeliest (label, probability); norms of the
    change in units of [0,1]; PSNR in dB.
    """

    clean: np.ndarray
    perturbed: np.ndarray
    before: list[tuple[str, float]]
    after: list[tuple[str, float]]
    linf: float
    l2: float
    psnr: float
    ssim: float

    @property
    def fooled(self) -> bool:
        """Whether the prediction changed."""
        return self.before[0][0] != self.after[0][0]


def exhibit(classifier: Classifier, image: Tensor, perturbation: Perturbation) -> Exhibit:
    """Apply ``perturbation`` to ``image`` (1,3,S,S) on the 8-bit grid. Raises PerturbationError when the sizes differ."""
    perturbed = quantise(image, perturbation.apply(image), perturbation.ball)
    return compare_pictures(classifier, image, perturbed)


def compare_pictures(classifier: Classifier, image: Tensor, perturbed: Tensor) -> Exhibit:
    """Predictions and distances of two pictures (1,3,S,S) on the 8-bit grid."""
    import torch

    with torch.inference_mode():
        before, after = classifier(torch.cat([image, perturbed])).softmax(dim=1)
    norms = measure(perturbed - image)
    clean_pixels, perturbed_pixels = to_array(image), to_array(perturbed)
    return Exhibit(
        clean_pixels,
        perturbed_pixels,
        top(classifier, before),
        top(classifier, after),
        norms.linf,
        norms.l2,
        psnr(clean_pixels, perturbed_pixels),
        ssim(clean_pixels, perturbed_pixels),
    )


def top(classifier: Classifier, probabilities: Tensor) -> list[tuple[str, float]]:
    """The likeliest labels with their probabilities (K,), highest first."""
    values, indices = probabilities.topk(min(TOP, len(probabilities)))
    return [(classifier.labels[i], p) for i, p in zip(indices.tolist(), values.tolist(), strict=True)]


def amplified(change: np.ndarray, gain: float = GAIN) -> np.ndarray:
    """A change (S,S,3) in units of [0,1] as a picture: 0.5 + gain * change, uint8. Mid-grey means no change.

    The gain is fixed and stated: stretching each picture to its own extremes would hide how large the change is.
    """
    return np.rint((0.5 + gain * change).clip(0, 1) * LEVELS).astype(np.uint8)
