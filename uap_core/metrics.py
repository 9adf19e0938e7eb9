"""Metrics: fooling rate and target rate with intervals, accuracy, PSNR and SSIM."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from uap_core.norms import LEVELS

if TYPE_CHECKING:
    from torch import Tensor

Z95 = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """State ``count`` of ``total`` images, with the interval that so few leave.

    Example:
        >>> import uap_core
        >>> rate = uap_core.Rate(87, 100)
        >>> rate.value, [round(end, 3) for end in rate.interval]
        (0.87, [0.79, 0.922])
    """

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share, 0 to 1; 0 for an empty set."""
        return self.count / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval (Wilson, JASA 1927), which stays sensible at 0 %, at 100 % and for few images."""
        if not self.total:
            return 0.0, 1.0
        n, p = self.total, self.value
        centre = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
        half = Z95 / (1 + Z95**2 / n) * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.1%} (95 % interval {low:.1%} to {high:.1%}, {self.count} of {self.total})"


def fooling_rate(clean_labels: Tensor, perturbed_labels: Tensor) -> Rate:
    """P[k(x+v) != k(x)] (Moosavi-Dezfooli et al., CVPR 2017, eq. 1): changes of the prediction, both (N,) class indices.

    No ground truth enters: a wrongly classified image counts when its wrong label changes.
    """
    return Rate(int((clean_labels != perturbed_labels).sum()), len(clean_labels))


def target_rate(clean_labels: Tensor, perturbed_labels: Tensor, target: int) -> Rate:
    """Share of images that become ``target`` (class index) among those with another label before; labels (N,) as above."""
    others = clean_labels != target
    return Rate(int((others & (perturbed_labels == target)).sum()), int(others.sum()))


def accuracy(labels: Tensor, truth: Tensor) -> Rate:
    """Share of predictions (N,) that equal the ground truth (N,)."""
    return Rate(int((labels == truth).sum()), len(truth))


def dominance_ratio(labels: Tensor, top: int = 1) -> Rate:
    """Share of predictions (N,) under a pattern that are among its ``top`` most frequent ones (Ye et al., FG-UAP, 2023)."""
    counts = labels.unique(return_counts=True)[1]
    return Rate(int(counts.sort(descending=True).values[:top].sum()), len(labels))


def accidental_corrections(clean_labels: Tensor, perturbed_labels: Tensor, truth: Tensor) -> Rate:
    """Among images that were named wrongly, the share that the pattern makes right: accidents of an attack, all (N,)."""
    wrong = clean_labels != truth
    return Rate(int((wrong & (perturbed_labels == truth)).sum()), int(wrong.sum()))


def top_k_accuracy(logits: Tensor, truth: Tensor, k: int = 5) -> Rate:
    """Share of rows of ``logits`` (N,K) whose ``k`` highest classes hold the ground truth (N,)."""
    hits = (logits.topk(min(k, logits.shape[1])).indices == truth[:, None]).any(dim=1)
    return Rate(int(hits.sum()), len(truth))


def predict(classifier: Callable[[Tensor], Tensor], batches: Iterable[Tensor]) -> Tensor:
    """Predicted class indices (N,) of batches of images (n,3,H,W), without building a gradient graph."""
    import torch

    with torch.inference_mode():
        found = [classifier(batch).argmax(dim=1) for batch in batches]
    return torch.cat(found) if found else torch.empty(0, dtype=torch.long)


def auc(positives: Tensor, negatives: Tensor) -> float:
    """Probability that one of ``positives`` (P,) is larger than one of ``negatives`` (N,), ties half: Mann and Whitney's U."""
    import torch

    ordered = negatives.double().sort().values
    values = positives.double()
    below, up_to = torch.searchsorted(ordered, values), torch.searchsorted(ordered, values, right=True)
    return float((below + up_to).double().mean() / 2 / len(ordered))


def psnr(clean: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two uint8 (H,W,3) pictures; infinite when they are equal."""
    error = np.mean((clean.astype(np.float64) - other.astype(np.float64)) ** 2)
    return math.inf if error == 0 else 10 * math.log10(LEVELS**2 / error)


def ssim(clean: np.ndarray, other: np.ndarray) -> float:
    """Structural similarity of two uint8 (H,W,3) pictures, at most 1 (Wang et al., 2004, as scikit-image computes it).

    Its windows are 7 pixels wide, on smaller pictures as wide as fits; of a picture less than 3 pixels wide it is NaN.
    """
    from skimage.metrics import structural_similarity

    side = min(*clean.shape[:2], 7)
    if side < 3:
        return math.nan
    return float(structural_similarity(clean, other, win_size=side - 1 + side % 2, channel_axis=2, data_range=LEVELS))
