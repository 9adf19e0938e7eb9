"""What ships does what its papers say: measured again on the real validation images."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from uap_core.assets import PERTURBATIONS
from uap_core.datasets import ImageSet, open_held_out
from uap_core.experiments.evaluation import Evaluation, evaluate
from uap_core.metrics import accuracy, top_k_accuracy
from uap_core.models.classifier import Classifier
from uap_core.perturbation import load_perturbation

SHIPPED = sorted(PERTURBATIONS.glob("resnet64-*.safetensors"))
SLACK = 0.004  # other processors round otherwise: ten images of 2 500


@pytest.fixture(scope="module")
def photographs(shared: Path) -> ImageSet:
    return open_held_out(shared / "data" / "tiny-imagenet-100.zip", 64, 64)


def measured(path: Path, classifier: Classifier, photographs: ImageSet) -> Evaluation:
    v = load_perturbation(path)
    return evaluate(classifier, v, photographs, torch.Generator().manual_seed(v.provenance["seed"]))


def test_the_embedded_networks_accuracy(classifier: Classifier, photographs: ImageSet) -> None:
    truth = photographs.truth(classifier.class_ids)
    assert truth is not None
    with torch.inference_mode():
        logits = torch.cat([classifier(batch) for batch in photographs.batches(250)])
    top1, top5 = accuracy(logits.argmax(dim=1), truth).value, top_k_accuracy(logits, truth).value
    stated = classifier.card.measured
    assert (top1, top5) == (pytest.approx(stated["top1"], abs=SLACK), pytest.approx(stated["top5"], abs=SLACK))
    assert len(truth) == 2500
    assert top1 >= 0.68
    assert top5 >= 0.89


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_patterns_fooling_rate(path: Path, classifier: Classifier, photographs: ImageSet) -> None:
    stated = load_perturbation(path).provenance["held_out"]
    found = measured(path, classifier, photographs)
    assert found.universal.value == pytest.approx(stated["fooling_rate"], abs=SLACK)
    assert found.random_signs.value == pytest.approx(stated["random_signs"], abs=SLACK)
    assert found.nothing.count == 0
    assert found.universal.value >= 0.85


def test_a_pattern_says_of_which_network_it_is(classifier: Classifier) -> None:
    assert SHIPPED
    for path in SHIPPED:
        provenance = load_perturbation(path).provenance
        assert provenance["network"] == classifier.card.key
        assert provenance["weights_sha256"] == classifier.weights_hash
