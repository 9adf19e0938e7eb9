from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch import nn

from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier
from uap_core.models.features import features_at
from uap_core.models.zoo import Zoo


@pytest.mark.parametrize(("stride", "channels", "side"), [(1, 3, 80), (2, 32, 40), (4, 64, 20), (8, 128, 10), (16, 320, 5)])
def test_the_embedded_networks_stages(classifier: Classifier, stride: int, channels: int, side: int) -> None:
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert features_at(classifier, stride)(images).shape == (2, channels, side, side)


class Shared(nn.Module):
    """One ReLU used twice, as torchvision's networks do."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.relu = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 5, 3, 2, 1), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.second(self.relu(self.first(x)))).flatten(1)


def test_a_module_used_twice_is_told_apart(classifier: Classifier) -> None:
    network = Shared()
    wrapped = Classifier(network, replace(classifier.card, input_size=16), ("a",))
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    half, quarter = features_at(wrapped, 2)(images), features_at(wrapped, 4)(images)
    torch.testing.assert_close(half, network.relu(network.first(images)))
    torch.testing.assert_close(quarter, network.relu(network.second(half)))
    with pytest.raises(SettingError, match="no feature maps of 16 pixels"):
        features_at(wrapped, 1)


class Interrupted(Shared):
    """Does something else in the middle, once."""

    meanwhile: ClassVar[list[Callable[[], None]]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        half = self.relu(self.first(x))
        while self.meanwhile:
            self.meanwhile.pop()()
        return self.relu(self.second(half)).flatten(1)


def test_threads_do_not_hear_each_others_passes(classifier: Classifier) -> None:
    network = Classifier(Interrupted(), replace(classifier.card, input_size=16), ("a",))
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    features = features_at(network, 4)
    expected = features(images)

    def meanwhile() -> None:
        with ThreadPoolExecutor() as pool:
            torch.testing.assert_close(pool.submit(features, images).result(20), expected)

    Interrupted.meanwhile.append(meanwhile)
    torch.testing.assert_close(features(images), expected)


def test_an_exported_program_is_cut_at_the_same_place(classifier: Classifier) -> None:
    network = Shared()
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    dynamic = {"x": {0: torch.export.Dim("n", min=1, max=64)}}
    program = torch.export.export(network, (images,), dynamic_shapes=dynamic).module()
    exported = Classifier(program, replace(classifier.card, kind="exported", input_size=16), ("a",))
    plain = Classifier(network, replace(classifier.card, input_size=16), ("a",))
    before = program(images)
    for stride in (2, 4):
        torch.testing.assert_close(features_at(exported, stride)(images[:2]), features_at(plain, stride)(images[:2]))
    torch.testing.assert_close(program(images), before)
    with pytest.raises(SettingError, match="no feature maps"):
        features_at(exported, 1)


def test_the_layer_of_a_real_exported_network(real_zoo: Zoo) -> None:
    googlenet = real_zoo.load("googlenet_bvlc")
    images = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    maps = features_at(googlenet, 8)(images)
    assert maps.shape[0] == 2
    assert 28 <= maps.shape[2] < 56
