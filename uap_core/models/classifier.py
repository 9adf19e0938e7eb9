"""A classifier under attack: [0,1] pixels in, logits out, normalisation inside, frozen."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.errors import ModelError
from uap_core.models.card import IMAGENET_MEAN, IMAGENET_STD, Card
from uap_core.models.device import device_of
from uap_core.texts import _


class Normalise(nn.Module):
    """(x - mean) / std per channel: the first layer, so that every epsilon is measured on pixels."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...] = IMAGENET_MEAN, std: tuple[float, ...] = IMAGENET_STD) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Image batch (N,3,H,W) in [0,1] to normalised pixels."""
        return (x - self.mean) / self.std


class Enlarge(nn.Module):
    """To ``side`` pixels, by bilinear interpolation: networks trained on random crops expect things larger than they are
    (Touvron et al., NeurIPS 2019). A layer, so that pictures and perturbations keep the size that people see."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """(N,3,H,W) to (N,3,side,side)."""
        return F.interpolate(x, size=(self.side, self.side), mode="bilinear", align_corners=False)


class Classifier(nn.Module):
    """``network`` maps an image batch float32 (N,3,S,S) in [0,1] to logits (N,K).

    ``labels`` are the K names shown to people, ``class_ids`` the K folder names (WordNet ids) of image sets. Evaluation
    mode and frozen parameters are set once, here; an exported program is in evaluation mode by construction.
    """

    def __init__(
        self, network: nn.Module, card: Card, labels: tuple[str, ...], class_ids: tuple[str, ...] = (), weights_hash: str = ""
    ) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.card = card
        self.labels = labels
        self.class_ids = class_ids
        self.weights_hash = weights_hash
        if card.kind != "exported":
            super().train(False)

    def train(self, mode: bool = True) -> Classifier:
        """Refuses training mode: batch statistics would change under an attack."""
        if mode:
            raise ModelError(_("A classifier under attack stays in evaluation mode."))
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Image batch (N,3,S,S) to logits (N,K), which come back to where the images are."""
        return self.network(images.to(self.device)).to(images.device)

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return device_of(self)

    @property
    def size(self) -> int:
        """Side of the square input in pixels."""
        return self.card.input_size

    def index_of(self, label: str) -> int:
        """Class index of a name. Raises ModelError when this network does not know it."""
        try:
            return self.labels.index(label)
        except ValueError:
            raise ModelError(_("{network} has no class {label!r}.").format(network=self.card.name, label=label)) from None
