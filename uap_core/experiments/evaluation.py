"""Evaluate a pattern on a network and a set of images: fooling rate, baseline, and loss of accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from uap_core.checks import check_type, check_whole
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError
from uap_core.metrics import (
    Rate,
    accidental_corrections,
    accuracy,
    dominance_ratio,
    fooling_rate,
    predict,
    target_rate,
)
from uap_core.models.wrapping import as_classifier
from uap_core.perturbations.perturbation import Perturbation, apply

DOMINANT = (1, 3, 5)  # most frequent predictions whose share is told, as in FG-UAP


@dataclass(frozen=True)
class Evaluation:
    """Hold what a pattern does to a set of images.

    Args:
        universal: fooling rate of the pattern.
        random_signs: fooling rate of random signs of the same norm.
        clean_accuracy: None when the set's folders are not classes of the network.
        perturbed_accuracy: the same under the pattern.
        dominant_label: what most perturbed images become.
        dominant_share: share of the perturbed predictions that it takes.
        target_rate: of a targeted pattern, share that becomes the target among the images that were something else.
        dominance: shares of the perturbed predictions that are among the 1, 3 and 5 most frequent (``DOMINANT``).
        corrections: among the images that were named wrongly, the share that the pattern makes right; None as above.
    """

    universal: Rate
    random_signs: Rate
    clean_accuracy: Rate | None
    perturbed_accuracy: Rate | None
    dominant_label: str
    dominant_share: Rate
    target_rate: Rate | None = None
    dominance: tuple[Rate, ...] = ()
    corrections: Rate | None = None


def evaluate(
    classifier: nn.Module,
    perturbation: Perturbation,
    images: ImageSet | Tensor,
    generator: torch.Generator | None = None,
    batch_size: int = 16,
    target: int | str | None = None,
) -> Evaluation:
    """Measure what a perturbation does to a set of images; clean predictions are computed once.

    Args:
        classifier: a ``Classifier`` or any module that maps pixels in [0,1] to logits.
        perturbation: (3,H,W), of the network's size.
        images: a set that it was not crafted on; or a tensor, uint8 (N,3,H,W) or floats in [0,1].
        generator: draws the random signs; seed 0 when left out.
        batch_size: images that go through the network at once.
        target: class index or label; the share of images that become it is measured too.

    Raises:
        PerturbationError: the perturbation has another size than the images.
        DatasetError: no images.
        SettingError: a value of another type or out of range.
        ModelError: a network that gives scores which are NaN or infinite.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=32)
        >>> measured = uap_core.evaluate(network, uap_core.load_perturbation("resnet64-linf10"), images)
        >>> measured.universal.value > measured.random_signs.value
        True
    """
    classifier, images = as_classifier(classifier), ImageSet.of(images)
    check_type("a perturbation", perturbation, Perturbation, "a Perturbation, as load_perturbation gives it")
    check_whole("batch_size", batch_size, least=1)
    if not len(images):
        raise DatasetError("There are no images to measure on.")
    classifier.check_takes(images.pixels)
    classifier.learn_classes(images.pixels)
    target = None if target is None else classifier.index_of(target)
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    check_type("generator", generator, torch.Generator, "a torch.Generator")
    signs = perturbation.ball.random_signs(tuple(perturbation.pattern.shape), generator)
    clean = predict(classifier, images.batches(batch_size))
    perturbed = predict(classifier, (perturbation.apply(batch) for batch in images.batches(batch_size)))
    noisy = predict(classifier, (apply(batch, signs) for batch in images.batches(batch_size)))
    truth = images.truth(classifier.class_ids)
    counts = perturbed.bincount(minlength=len(classifier.labels))
    return Evaluation(
        universal=fooling_rate(clean, perturbed),
        random_signs=fooling_rate(clean, noisy),
        clean_accuracy=None if truth is None else accuracy(clean, truth),
        perturbed_accuracy=None if truth is None else accuracy(perturbed, truth),
        dominant_label=classifier.labels[int(counts.argmax())],
        dominant_share=Rate(int(counts.max()), len(perturbed)),
        target_rate=None if target is None else target_rate(clean, perturbed, target),
        dominance=tuple(dominance_ratio(perturbed, top) for top in DOMINANT),
        corrections=None if truth is None else accidental_corrections(clean, perturbed, truth),
    )
