"""Small networks and pictures for tests of crafting: cheap, smooth, and not linear."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from uap_core.datasets.image_sets import ImageSet
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier

SIDE = 8
VALUES = 3 * SIDE * SIDE


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int, seed: int = 0, side: int = SIDE) -> Tensor:
    return torch.randint(0, 256, (count, 3, side, side), generator=seeded(seed), dtype=torch.uint8)


def smooth_network(seed: int, classes: str = "abcde", spread: float = 0.1) -> Classifier:
    """Two layers and tanh: differentiable everywhere, and not linear."""
    first, second = nn.Linear(VALUES, 12), nn.Linear(12, len(classes))
    with torch.no_grad():
        for layer, scale in ((first, spread), (second, 1.0)):
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=seeded(seed)) * scale)
            layer.bias.zero_()
    card = Card(f"smooth{seed}", "Smooth", "embedded", "", SIDE, SIDE, "none", "made in a test")
    return Classifier(nn.Sequential(nn.Flatten(), first, nn.Tanh(), second), card, tuple(classes), weights_hash=str(seed))


def convolutional_network() -> Classifier:
    """With feature maps, for methods that look at a hidden layer."""
    conv, head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4 * SIDE * SIDE, 5)
    with torch.no_grad():
        for parameter, scale in ((conv.weight, 0.5), (conv.bias, 0.1), (head.weight, 0.2), (head.bias, 0.0)):
            parameter.copy_(torch.randn(parameter.shape, generator=seeded(2)) * scale)
    card = Card("convolutional", "Convolutional", "embedded", "", SIDE, SIDE, "none", "made in a test")
    return Classifier(nn.Sequential(conv, nn.Tanh(), nn.Flatten(), head), card, tuple("abcde"), weights_hash="convolutional")


def normalised_network() -> Classifier:
    """With a batch norm that no convolution can take in, so that there are statistics to leave alone."""
    norm, head = nn.BatchNorm2d(3), nn.Linear(VALUES, 5)
    with torch.no_grad():
        head.weight.copy_(torch.randn(head.weight.shape, generator=seeded(3)) * 0.2)
        head.bias.zero_()
    card = Card("normalised", "Normalised", "embedded", "", SIDE, SIDE, "none", "made in a test")
    return Classifier(nn.Sequential(norm, nn.Flatten(), head), card, tuple("abcde"), weights_hash="normalised")


@dataclass
class ToyZoo:
    """Stands in for Zoo: networks that were made in a test, under their keys."""

    networks: dict[str, Classifier]
    loaded: list[str] = field(default_factory=list)

    def cards(self) -> dict[str, Card]:
        return {key: network.card for key, network in self.networks.items()}

    def card(self, key: str) -> Card:
        return self.cards()[key]

    def load(self, key: str) -> Classifier:
        self.loaded.append(key)
        return self.networks[key]


def toy_zoo(*keys: str) -> ToyZoo:
    networks = {}
    for seed, key in enumerate(keys):
        network = smooth_network(seed)
        network.card = replace(network.card, key=key, name=key.title(), sha256=network.weights_hash)
        networks[key] = network
    return ToyZoo(networks)


def toy_set(name: str, count: int, seed: int) -> ImageSet:
    return ImageSet(name, pictures(count, seed, SIDE), ("0",) * count, tuple(f"{name}/{i}.png" for i in range(count)))
