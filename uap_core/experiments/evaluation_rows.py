"""An evaluation as a row of a table; read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from uap_core.metrics import Rate

if TYPE_CHECKING:
    import torch

    from uap_core.datasets.image_sets import ImageSet
    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation


@dataclass(frozen=True)
class EvaluationRow:
    """What the library's ``pattern`` does to held-out photographs: see ``Evaluation``; ``top_1``, ``top_3`` and ``top_5`` are
    its dominance ratios, ``corrections`` those that were wrong before and are right under it."""

    pattern: str
    fooling_rate: Rate
    random_signs: Rate
    top_1: Rate
    top_3: Rate
    top_5: Rate
    dominant_label: str
    clean_accuracy: Rate | None
    perturbed_accuracy: Rate | None
    corrections: Rate | None


def row_of(
    classifier: Classifier, perturbation: Perturbation, name: str, images: ImageSet, generator: torch.Generator
) -> EvaluationRow:
    """Measure it; raises what ``evaluate`` raises."""
    from uap_core.experiments.evaluation import evaluate

    found = evaluate(classifier, perturbation, images, generator)
    top_1, top_3, top_5 = found.dominance
    return EvaluationRow(
        pattern=name,
        fooling_rate=found.universal,
        random_signs=found.random_signs,
        top_1=top_1,
        top_3=top_3,
        top_5=top_5,
        dominant_label=found.dominant_label,
        clean_accuracy=found.clean_accuracy,
        perturbed_accuracy=found.perturbed_accuracy,
        corrections=found.corrections,
    )
