"""What stands before the logits, found in modules and in exported programs alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from toys import convolutional_network, seeded

from uap_core.errors import SettingError
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.models.last_layer import last_layer, look

SIDE, CLASSES = 8, 5


class Pooled(nn.Module):
    """A convolution, the mean over the picture, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.conv(x)).mean(dim=(2, 3)))


class EachPlace(nn.Module):
    """As SqueezeNet ends: scores at each place, rectified, then their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.Conv2d(6, CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.head(torch.relu(self.conv(x)))).mean(dim=(2, 3))


class Bare(nn.Module):
    """Scores without a layer of weights."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([x.mean(dim=(1, 2, 3)), -x.mean(dim=(1, 2, 3))], dim=1)


def classifier_of(network: nn.Module, classes: int = CLASSES) -> Classifier:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=seeded(parameter.numel())))
    kind = "exported" if isinstance(network, torch.fx.GraphModule) else "embedded"
    card = Card("toy", "Toy", kind, "", SIDE, SIDE, "none", "made in a test")
    return Classifier(network, card, tuple("abcde"[:classes]))


def exported(network: nn.Module) -> nn.Module:
    example = torch.rand(2, 3, SIDE, SIDE)
    return torch.export.export(network.eval(), (example,), dynamic_shapes=({0: torch.export.Dim("n", min=1)},)).module()


@pytest.fixture
def images() -> Tensor:
    return torch.rand(4, 3, SIDE, SIDE, generator=seeded(7))


@pytest.mark.parametrize("kind", [lambda network: network, exported], ids=["module", "exported"])
def test_the_last_layer_reads_the_means_of_the_maps(kind: Callable[[nn.Module], nn.Module], images: Tensor) -> None:
    plain = classifier_of(Pooled())
    network = classifier_of(kind(plain.network)) if kind is exported else plain
    last, seen = last_layer(network), look(network, images)
    maps = torch.relu(plain.network.conv(images))
    assert last.pooled
    assert last.cut == (kind is not exported), "a function is an operation of a program, and no layer of a module"
    torch.testing.assert_close(seen.maps, maps)
    torch.testing.assert_close(seen.features, maps.mean(dim=(2, 3)))
    torch.testing.assert_close(seen.logits, network(images))
    torch.testing.assert_close(seen.features @ last.weight.T + last.bias, network(images))


@pytest.mark.parametrize("kind", [lambda network: network, exported], ids=["module", "exported"])
def test_scores_at_each_place(kind: Callable[[nn.Module], nn.Module], images: Tensor) -> None:
    plain = classifier_of(EachPlace())
    network = classifier_of(kind(plain.network)) if kind is exported else plain
    last, seen = last_layer(network), look(network, images)
    assert last.each_place
    assert last.rectified
    torch.testing.assert_close(seen.maps, torch.relu(plain.network.conv(images)))
    torch.testing.assert_close(seen.features, seen.maps.mean(dim=(2, 3)))


def test_maps_that_are_not_averaged_are_the_last_ones(images: Tensor) -> None:
    network = convolutional_network()
    last, seen = last_layer(network), look(network, images)
    assert not last.maps_add_up
    assert seen.maps is not None
    torch.testing.assert_close(seen.maps.flatten(1), seen.features)


def test_a_network_that_does_not_end_with_weights_is_a_sentence(images: Tensor) -> None:
    with pytest.raises(SettingError, match="features of Toy cannot be reached"):
        look(classifier_of(Bare(), 2), images)


def test_two_threads_do_not_hear_each_other(images: Tensor) -> None:
    from concurrent.futures import ThreadPoolExecutor

    network = classifier_of(Pooled())
    many = [torch.rand(2 + number, 3, SIDE, SIDE, generator=seeded(number)) for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda batch: look(network, batch).features, many * 4))
    for batch, features in zip(many * 4, found, strict=True):
        torch.testing.assert_close(features, look(network, batch).features)
