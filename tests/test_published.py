"""The paper's own patterns on the paper's own network: network, images, layout and the definition of the rate are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.published import TABLE_2, fooled_by

from uap_core.datasets import ImageSet, open_held_out
from uap_core.foreign import detect, read_arrays, understood
from uap_core.metrics import fooling_rate, predict
from uap_core.models.zoo import Zoo
from uap_core.perturbation import from_arrays


@pytest.fixture(scope="module")
def photographs(shared: Path) -> ImageSet:
    """The 300 images that nothing is crafted on."""
    return open_held_out(shared / "data" / "imagenet-sample-800.zip", 256, 224)


def test_all_six_fool_as_they_did_on_a_thousand_images(real_zoo: Zoo, shared: Path, photographs: ImageSet) -> None:
    found = fooled_by(list(TABLE_2), real_zoo.load("googlenet_bvlc"), photographs, shared / "perturbations")
    for name, (_, before) in TABLE_2.items():
        assert found[name].total == 300
        assert found[name].value == pytest.approx(before, abs=0.07), name


@pytest.mark.parametrize("swapped", ["transposed", "bgr"])
def test_read_in_another_way_it_does_clearly_less(swapped: str, real_zoo: Zoo, shared: Path, photographs: ImageSet) -> None:
    path = shared / "perturbations" / "GoogLeNet.mat"
    arrays, classifier, some = read_arrays(path), real_zoo.load("googlenet_bvlc"), photographs.prefix(150)
    reading = detect(arrays)
    wrong = type(reading)(**{**vars(reading), swapped: True})
    assert understood(arrays, wrong).shape == (3, 224, 224)
    clean = predict(classifier, some.batches())
    upright, other = (
        fooling_rate(clean, predict(classifier, map(from_arrays(arrays, how, path).apply, some.batches())))
        for how in (reading, wrong)
    )
    assert other.value <= upright.value - 0.05
