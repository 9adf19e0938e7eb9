"""One pattern on one network over one set of images: fooling rate beside its baselines, and the accuracy it costs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.datasets import ImageSet
from uap_core.metrics import Rate, accuracy, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.perturbation import Perturbation


@dataclass(frozen=True)
class Evaluation:
    """Fooling rates of the pattern, of random signs of the same norm and of no change at all (0 by definition).

    ``clean_accuracy`` and ``perturbed_accuracy`` are None when the set's folders are not classes of the network.
    ``dominant_label`` swallows ``dominant_share`` of the perturbed predictions. ``target_rate``, of a targeted pattern, is the
    share that becomes the target among the images that were something else.
    """

    universal: Rate
    random_signs: Rate
    nothing: Rate
    clean_accuracy: Rate | None
    perturbed_accuracy: Rate | None
    dominant_label: str
    dominant_share: Rate
    target_rate: Rate | None = None


def evaluate(
    classifier: Classifier,
    perturbation: Perturbation,
    images: ImageSet,
    generator: torch.Generator,
    batch_size: int = 32,
    target: int | None = None,
) -> Evaluation:
    """Measure ``perturbation`` on ``images``; clean predictions are computed once."""
    signs = perturbation.ball.random_signs(tuple(perturbation.pattern.shape), generator)
    clean = predict(classifier, images.batches(batch_size))
    perturbed = predict(classifier, (perturbation.apply(batch) for batch in images.batches(batch_size)))
    noisy = predict(classifier, ((batch + signs).clamp(0, 1) for batch in images.batches(batch_size)))
    unchanged = predict(classifier, images.prefix(batch_size).batches(batch_size))
    truth = images.truth(classifier.class_ids)
    counts = perturbed.bincount(minlength=len(classifier.labels))
    return Evaluation(
        universal=fooling_rate(clean, perturbed),
        random_signs=fooling_rate(clean, noisy),
        nothing=fooling_rate(clean[:batch_size], unchanged),
        clean_accuracy=None if truth is None else accuracy(clean, truth),
        perturbed_accuracy=None if truth is None else accuracy(perturbed, truth),
        dominant_label=classifier.labels[int(counts.argmax())],
        dominant_share=Rate(int(counts.max()), len(perturbed)),
        target_rate=None if target is None else _turned_into(target, clean, perturbed),
    )


def _turned_into(target: int, clean: Tensor, perturbed: Tensor) -> Rate:
    others = clean != target
    return Rate(int((perturbed[others] == target).sum()), int(others.sum()))
