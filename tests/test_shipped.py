"""What ships does what its papers say: measured again on the real validation images."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from uap_core.assets import RESULTS
from uap_core.datasets import ImageSet, open_held_out
from uap_core.experiments.evaluation import evaluate
from uap_core.experiments.matrix import MatrixRow, fooling_matrix
from uap_core.experiments.shipped import IMAGENET, OTHERS, recipes
from uap_core.library import Entry, library
from uap_core.metrics import accuracy, predict, top_k_accuracy
from uap_core.models.classifier import Classifier
from uap_core.models.zoo import Zoo, load_model
from uap_core.perturbation import load_perturbation
from uap_core.tables import read_table
from uap_core.training.adversarial import accuracy_under_attack

EMBEDDED = [entry for entry in library() if entry.side == 64]
IMAGENET_ENTRIES = [entry for entry in library() if entry.side == 224]
ROBUST = "resnet64_robust"
SLACK = 0.004  # other processors round otherwise: ten images of 2 500
SLACK_300 = 0.0101  # three images of 300


@pytest.fixture(scope="module")
def photographs(shared: Path) -> ImageSet:
    return open_held_out(shared / "data" / "tiny-imagenet-100.zip", 64, 64)


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


def test_the_library_is_whole() -> None:
    assert {entry.path.stem for entry in library()} == {recipe.file for recipe in recipes()}


@pytest.mark.parametrize("key", OTHERS)
def test_the_accuracy_of_its_siblings(key: str, classifier: Classifier, photographs: ImageSet) -> None:
    sibling = load_model(key)
    assert (sibling.labels, sibling.size) == (classifier.labels, classifier.size)
    truth = photographs.truth(sibling.class_ids)
    assert truth is not None
    top1 = accuracy(predict(sibling, photographs.batches(250)), truth).value
    assert top1 == pytest.approx(sibling.card.measured["top1"], abs=SLACK)
    assert top1 >= (0.45 if key == ROBUST else 0.62)
    assert sibling.card.weights_path.stat().st_size < 5_000_000


def test_the_robust_twin_withstands_what_fells_the_plain_one(classifier: Classifier, photographs: ImageSet) -> None:
    robust = load_model(ROBUST)
    stated = robust.card.measured["under_attack"]
    assert stated["epsilon"] == pytest.approx(4 / 255)
    assert stated["top1"] >= 0.29
    some = photographs.shuffled(torch.Generator().manual_seed(1)).prefix(120)
    truth = some.truth(robust.class_ids)
    assert truth is not None
    # 120 images of the 2 500 leave some 8 points of chance.
    held = accuracy_under_attack(robust, some.pixels, truth, 4 / 255, torch.Generator().manual_seed(0))
    assert held == pytest.approx(stated["top1"], abs=0.11)
    plain = accuracy_under_attack(classifier, some.pixels[:20], truth[:20], 4 / 255, torch.Generator().manual_seed(0))
    assert plain <= 0.1


@pytest.mark.parametrize("entry", EMBEDDED, ids=lambda entry: entry.path.stem)
def test_a_pattern_of_an_embedded_network(entry: Entry, photographs: ImageSet) -> None:
    classifier = load_model(entry.networks[0])
    stated = entry.provenance["held_out"]
    v, seed = load_perturbation(entry.path), entry.provenance["seed"]
    target = classifier.index_of(entry.target) if entry.target else None
    found = evaluate(classifier, v, photographs, torch.Generator().manual_seed(seed), target=target)
    assert found.universal.value == pytest.approx(stated["fooling_rate"], abs=SLACK)
    assert found.random_signs.value == pytest.approx(stated["random_signs"], abs=SLACK)
    assert found.nothing.count == 0
    if found.target_rate is not None:
        assert found.target_rate.value == pytest.approx(stated["target_rate"], abs=SLACK)
        assert found.target_rate.value >= 0.8
    elif ROBUST in entry.networks:
        assert found.universal.value < 0.4  # what training against attacks buys
    elif "deepfool" not in entry.key:
        # The plain network sees its pictures at 48 pixels, and some of every pattern is lost on the way.
        assert found.universal.value >= (0.7 if "vgg64" in entry.networks else 0.85)
    assert entry.provenance["network"] == classifier.card.key
    assert entry.provenance["weights_sha256"] == classifier.weights_hash


@pytest.mark.parametrize("network", IMAGENET)
def test_patterns_of_the_imagenet_networks(network: str, shared: Path, real_zoo: Zoo) -> None:
    """All of a network in one go, so that its clean predictions are computed once."""
    loaded = real_zoo.load(network)
    images = open_held_out(shared / "data" / "imagenet-sample-800.zip", loaded.card.resize_size, loaded.size)
    mine = [entry for entry in IMAGENET_ENTRIES if network in entry.networks]
    patterns = [load_perturbation(entry.path) for entry in mine]
    rows = list(fooling_matrix(patterns, [loaded], images, [], seed=0))
    for entry, row in zip(mine, rows, strict=True):
        stated = entry.provenance["held_out"]
        stated = stated if len(entry.networks) == 1 else stated[network]
        assert row.fooling_rate.value == pytest.approx(stated["fooling_rate"], abs=SLACK_300), entry.key
        hashes = entry.provenance["weights_sha256"].split(", ")
        assert hashes[entry.networks.index(network)] == loaded.weights_hash
        if entry.path.stem == f"{network}-linf10":
            assert row.fooling_rate.value >= 0.9


@pytest.mark.parametrize("left_out", IMAGENET)
def test_a_pattern_fools_the_network_that_it_never_saw(left_out: str) -> None:
    """As the matrix of who fools whom has it, which is computed by the code that is tested above."""
    table = read_table(RESULTS / "imagenet-matrix.json", MatrixRow)
    name = next(entry.name for entry in library() if entry.path.stem == f"all-but-{left_out}-linf10")
    (row,) = [row for row in table.rows if row.perturbation == name and not row.crafted_on and "random" not in row.perturbation]
    assert row.fooling_rate.value >= 0.7


def test_small_files() -> None:
    assert all(entry.path.stat().st_size < 156_000 for entry in library())
