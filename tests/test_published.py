"""The paper's own patterns on the paper's own network: network, images, layout and the definition of the rate are right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bench.published import TABLE_2, fooled_by
from torch import Tensor

from uap_core.datasets.image_sets import ImageSet
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.card import Card
from uap_core.models.zoo import Zoo
from uap_core.perturbations.importers import detect, read_arrays, understood
from uap_core.perturbations.perturbation import from_arrays


@pytest.fixture(scope="module")
def photographs(real_zoo: Zoo, large_photographs: Callable[[Card], ImageSet]) -> ImageSet:
    """40 of the 300 images that nothing is crafted on; `tests/bench/published.py` takes all."""
    images = large_photographs(real_zoo.card("googlenet_bvlc"))
    return images.shuffled(torch.Generator().manual_seed(0)).prefix(40)


@pytest.fixture(scope="module")
def clean(real_zoo: Zoo, photographs: ImageSet) -> Tensor:
    """What the network says of the photographs as they are."""
    return predict(real_zoo.load("googlenet_bvlc"), photographs.batches())


def test_all_six_fool_as_they_did_on_a_thousand_images(
    real_zoo: Zoo, shared: Path, photographs: ImageSet, clean: Tensor, own: Rate
) -> None:
    network, folder = real_zoo.load("googlenet_bvlc"), shared / "perturbations"
    for name, (_, before) in TABLE_2.items():
        found = own if name == "GoogLeNet" else fooled_by(name, network, photographs, clean, folder)
        assert found.total == 40
        assert found.value == pytest.approx(before, abs=0.12 if name == "GoogLeNet" else 0.17), name


@pytest.fixture(scope="module")
def own(real_zoo: Zoo, shared: Path, photographs: ImageSet, clean: Tensor) -> Rate:
    """What GoogLeNet's own pattern does to all of the photographs."""
    return fooled_by("GoogLeNet", real_zoo.load("googlenet_bvlc"), photographs, clean, shared / "perturbations")


def test_read_in_another_way_it_does_clearly_less(
    real_zoo: Zoo, shared: Path, photographs: ImageSet, clean: Tensor, own: Rate
) -> None:
    path = shared / "perturbations" / "GoogLeNet.mat"
    arrays, classifier = read_arrays(path), real_zoo.load("googlenet_bvlc")
    reading = detect(arrays)

    def fooled(**changes: bool) -> float:
        how = replace(reading, **changes)
        assert understood(arrays, how).shape == (3, 224, 224)
        return fooling_rate(clean, predict(classifier, map(from_arrays(arrays, how, path).apply, photographs.batches()))).value

    upright = own.value
    assert fooled(transposed=True) <= upright - 0.05
    assert fooled(bgr=True) <= upright - 0.05
