"""The paper's own patterns on the paper's own network: network, images, layout and the definition of the rate are right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bench.published import TABLE_2, fooled_by

from uap_core.datasets import ImageSet, open_held_out
from uap_core.foreign import detect, read_arrays, understood
from uap_core.metrics import fooling_rate, predict
from uap_core.models.zoo import Zoo
from uap_core.perturbation import from_arrays


@pytest.fixture(scope="module")
def photographs(shared: Path) -> ImageSet:
    """80 of the 300 images that nothing is crafted on; `tests/bench/published.py` takes all."""
    images = open_held_out(shared / "data" / "imagenet-sample-800.zip", 256, 224)
    return images.shuffled(torch.Generator().manual_seed(0)).prefix(80)


def test_all_six_fool_as_they_did_on_a_thousand_images(real_zoo: Zoo, shared: Path, photographs: ImageSet) -> None:
    found = fooled_by(list(TABLE_2), real_zoo.load("googlenet_bvlc"), photographs, shared / "perturbations")
    for name, (_, before) in TABLE_2.items():
        assert found[name].total == 80
        assert found[name].value == pytest.approx(before, abs=0.12), name


def test_read_in_another_way_it_does_clearly_less(real_zoo: Zoo, shared: Path, photographs: ImageSet) -> None:
    path = shared / "perturbations" / "GoogLeNet.mat"
    arrays, classifier = read_arrays(path), real_zoo.load("googlenet_bvlc")
    reading, clean = detect(arrays), predict(classifier, photographs.batches())

    def fooled(**changes: bool) -> float:
        how = replace(reading, **changes)
        assert understood(arrays, how).shape == (3, 224, 224)
        return fooling_rate(clean, predict(classifier, map(from_arrays(arrays, how, path).apply, photographs.batches()))).value

    upright = fooled()
    assert fooled(transposed=True) <= upright - 0.05
    assert fooled(bgr=True) <= upright - 0.05
