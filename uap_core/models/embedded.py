"""Architectures for 64x64 images that this project trains: four kinds, so that patterns can be taken from one to another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn

from uap_core.models.architectures.resnet64 import ResNet64
from uap_core.models.architectures.separable64 import Separable64
from uap_core.models.architectures.vgg64 import VGG64
from uap_core.models.architectures.vit64 import ViT64
from uap_core.models.fusion import fold_batch_norm


@dataclass(frozen=True)
class Embedded:
    """``build`` makes the network for inference, ``build_to_train`` for training, both from the number of classes."""

    name: str
    build: Callable[[int], nn.Module]
    build_to_train: Callable[[int], nn.Module]
    is_folded: bool = False

    def to_ship(self, trained: nn.Module) -> nn.Module:
        """The trained network with the layers that ``build`` gives it; may change ``trained``."""
        return fold_batch_norm(trained) if self.is_folded else trained


EMBEDDED = {
    "resnet64": Embedded("ResNet-64", ResNet64, ResNet64),
    "vgg64": Embedded("VGG-64", VGG64, partial(VGG64, batch_norm=True), is_folded=True),
    "separable64": Embedded("Separable-64", Separable64, Separable64),
    "vit64": Embedded("ViT-64", ViT64, ViT64),
}
