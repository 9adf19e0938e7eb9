"""Arrays that are hardly patterns: pictures, signs, directions, patterns for normalised pixels. Each is refused by name."""

from __future__ import annotations

import math

import numpy as np

from uap_core.errors import PerturbationError
from uap_core.norms import LEAST, LEVELS

PHOTOGRAPHS = 0.1  # of all levels: photographs without their mean have a larger root mean square, patterns of an l2 ball do not
UNLIKELY = 0.25  # of all levels: no pattern that is meant to go unnoticed changes a pixel by so much
NORMALISED = 3.0  # normalised by ImageNet's mean and deviation, pixels are between -2.2 and 2.7
# Of red, green and blue, by which networks divide pixels.
DEVIATIONS = {
    "ImageNet": (0.229, 0.224, 0.225),
    "CIFAR-10": (0.2470, 0.2435, 0.2616),
    "CIFAR-10, picture by picture": (0.2023, 0.1994, 0.2010),
    "CIFAR-100": (0.2673, 0.2564, 0.2762),
    "CLIP": (0.26862954, 0.26130258, 0.27577711),
}


def described(values: np.ndarray) -> str:
    """Shape, type and range of an array, in short."""
    return f"{values.shape} {values.dtype} {values.min():.4g}..{values.max():.4g}"


def check_likely(array: np.ndarray, full: float) -> None:
    """Raise PerturbationError for numbers that look like a picture's, or like signs, rather than like a pattern's."""
    low, high = float(array.min()), float(array.max())
    told = described(array)
    largest, rms = max(-low, high), math.sqrt(float((array.astype(np.float64) ** 2).mean()))
    _check_pixels_of_a_network(array, told)
    if low >= 0 and high > low:
        raise PerturbationError(
            f"Nothing in this array is negative ({told}): it looks like a picture, or a pattern that was shifted for "
            "viewing. Save the pattern as signed floats; zero means no change."
        )
    if low == -1 and high == 1 and set(np.unique(array)) <= {-1, 0, 1}:
        raise PerturbationError(
            f"This array holds signs alone ({told}). Multiply them by epsilon, such as 10/255, and save that."
        )
    if largest > UNLIKELY * full and rms > PHOTOGRAPHS * full:
        raise PerturbationError(
            f"These numbers ({told}) are as large as a picture's without its mean, not as a pattern's. If they are a pattern, "
            "say for which pixels (uap convert --scale)."
        )
    if 0 < largest < LEAST * full:
        raise PerturbationError(
            f"This pattern changes no pixel ({told}): was it divided by 255 twice? Save it in units of pixels from 0 to 1."
        )
    if full == 1 and abs(rms * math.sqrt(array.size) - 1) < 1e-4:
        raise PerturbationError(
            f"This array has the l2 norm 1 ({told}): it is a direction. Multiply it by epsilon, such as 2000/255, and save."
        )
    if full == LEVELS and array.dtype.kind == "f" and max(-low, high) < NORMALISED and np.any(array != np.rint(array)):
        raise PerturbationError(
            f"These numbers ({told}) may be a normalised picture, or a pattern for pixels from 0 to 255. Save a "
            "pattern divided by 255, or say which it is (uap convert --scale)."
        )


def _check_pixels_of_a_network(array: np.ndarray, told: str) -> None:
    """Raise PerturbationError for a pattern that was divided by a data set's deviations: a box no longer, but three."""
    ends = np.abs(array.astype(np.float64)).max(axis=(1, 2) if array.shape[0] == 3 else (0, 1))
    if ends.min() <= 0 or ends.max() <= 1.005 * ends.min():
        return
    for name, deviations in DEVIATIONS.items():
        alike = ends * deviations
        if alike.max() <= 1.001 * alike.min():
            numbers = ", ".join(f"{deviation:g}" for deviation in deviations)
            raise PerturbationError(
                f"This pattern ({told}) is for pixels normalised as for {name}: its colours differ in size. Multiply red, "
                f"green and blue by {numbers}, and save that."
            )
