from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.evaluation import evaluate
from uap_core.metrics import Rate
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation

SIDE = 8
VALUES = 3 * SIDE * SIDE
COUNT = 10


@pytest.fixture(scope="module")
def network(linear) -> Classifier:
    """Dark pictures are 0, bright ones 1, very bright ones 2."""
    mean = torch.full((VALUES,), 1 / VALUES)
    return linear(torch.stack([0 * mean, 10 * mean, 30 * mean]), torch.tensor([0.0, -5.0, -21.0]))  # borders at 0.5 and 0.8


@pytest.fixture(scope="module")
def images() -> ImageSet:
    """Grey levels 0.05, 0.15, ... 0.95; the folders tell the truth for all but the first."""
    levels = ((torch.arange(COUNT) + 0.5) / COUNT * 255).round().byte()
    pixels = levels[:, None, None, None].expand(COUNT, 3, SIDE, SIDE).contiguous()
    truth = ("1", *(["0"] * 4), *(["1"] * 3), *(["2"] * 2))
    return ImageSet("greys", pixels, truth, tuple(f"{i}.png" for i in range(COUNT)))


def brighter(by: float) -> Perturbation:
    return Perturbation("brighter", torch.full((3, SIDE, SIDE), by), Ball("linf", abs(by)))


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_counts_changes_and_not_errors(network: Classifier, images: ImageSet, batch_size: int) -> None:
    measured = evaluate(network, brighter(0.3), images, torch.Generator().manual_seed(0), batch_size)
    # 0.25, 0.35 and 0.45 become 1; 0.55, 0.65 and 0.75 become 2
    assert measured.universal == Rate(6, COUNT)
    assert measured.clean_accuracy == Rate(9, COUNT)
    assert measured.perturbed_accuracy == Rate(3, COUNT)
    assert (measured.dominant_label, measured.dominant_share) == ("2", Rate(5, COUNT))


def test_few_labels_and_accidental_corrections(network: Classifier, images: ImageSet) -> None:
    measured = evaluate(network, brighter(0.3), images, torch.Generator().manual_seed(0))
    # two pictures stay 0, three are 1, five are 2
    assert measured.dominance == (Rate(5, COUNT), Rate(COUNT, COUNT), Rate(COUNT, COUNT))
    assert measured.corrections == Rate(0, 1), "0.05 is called 0, its folder says 1, and 0.35 is 0 still"
    right_now = evaluate(network, brighter(0.6), images, torch.Generator().manual_seed(0))
    assert right_now.corrections == Rate(1, 1), "at 0.65 it is 1, as its folder says"
    untold = ImageSet("greys", images.pixels, ("elsewhere",) * COUNT, images.files)
    assert evaluate(network, brighter(0.6), untold).corrections is None


def test_a_target_counts_those_that_were_not_there_before(network: Classifier, images: ImageSet) -> None:
    measured = evaluate(network, brighter(0.3), images, torch.Generator().manual_seed(0), target=2)
    assert measured.target_rate == Rate(3, COUNT - 2)  # 0.85 and 0.95 were 2 already
    assert evaluate(network, brighter(0.3), images, torch.Generator().manual_seed(0)).target_rate is None


def test_no_change_fools_nobody(network: Classifier, images: ImageSet) -> None:
    measured = evaluate(network, brighter(0.0), images, torch.Generator().manual_seed(0))
    assert measured.universal == measured.random_signs == Rate(0, COUNT)
    assert measured.clean_accuracy == measured.perturbed_accuracy


def test_unknown_folders_give_no_accuracy(network: Classifier, images: ImageSet) -> None:
    strange = replace(images, classes=("holiday", *images.classes[1:]))
    measured = evaluate(network, brighter(0.3), strange, torch.Generator().manual_seed(0))
    assert measured.clean_accuracy is measured.perturbed_accuracy is None
    assert measured.universal == Rate(6, COUNT)


def test_the_baseline_has_the_same_norm_and_comes_from_the_generator(linear, images: ImageSet) -> None:
    weight = torch.randn(5, VALUES, generator=torch.Generator().manual_seed(1))
    network = linear(weight - weight.mean(dim=1, keepdim=True), torch.zeros(5))
    pattern = brighter(0.2)
    measured = evaluate(network, pattern, images, torch.Generator().manual_seed(7))
    signs = torch.randint(0, 2, (3, SIDE, SIDE), generator=torch.Generator().manual_seed(7)) * 2 - 1
    x = images.images(slice(None))
    changed = network((x + 0.2 * signs).clamp(0, 1)).argmax(dim=1) != network(x).argmax(dim=1)
    assert measured.random_signs == Rate(int(changed.sum()), COUNT)
    assert changed.any()
