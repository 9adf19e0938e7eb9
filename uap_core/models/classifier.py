"""A classifier under attack: [0,1] pixels in, logits out, normalisation inside, frozen."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.checks import check_whole
from uap_core.errors import DatasetError, ModelError, SettingError
from uap_core.models.card import IMAGENET_MEAN, IMAGENET_STD, Card
from uap_core.models.device import device_of


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names of classes; those that several classes share get their index, since names are what people compare."""
    times = Counter(names)
    return tuple(name if times[name] == 1 else f"{name} ({index})" for index, name in enumerate(names))


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
    (Touvron et al., NeurIPS 2019). A layer, so that pictures and perturbations keep their size."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """(N,3,H,W) to (N,3,side,side)."""
        return F.interpolate(x, size=(self.side, self.side), mode="bilinear", align_corners=False)


class Classifier(nn.Module):
    """Make [0,1] pixels into logits: a network under attack, with its normalisation inside, in evaluation mode and frozen.

    Mode and parameters are set once, here; an exported program is in evaluation mode by construction. ``load_model`` and
    ``wrap`` make them.

    Args:
        network: maps an image batch float32 (N,3,H,W) in [0,1] to logits (N,K).
        card: its card.
        labels: the K display names of its classes.
        class_ids: the K folder names (WordNet ids) of image sets.
        weights_hash: SHA-256 of the weights' file.
        shape: height and width (H,W) in pixels that it takes; the card's square when left out.

    Example:
        >>> import torch, uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> network(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 100])
    """

    shape: tuple[int, int] | None
    """(H,W) of the images that it takes; None for a wrapped module that was not said to have a size, and takes any."""

    def __init__(
        self,
        network: nn.Module,
        card: Card,
        labels: tuple[str, ...],
        class_ids: tuple[str, ...] = (),
        weights_hash: str = "",
        shape: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.card = card
        self.labels = distinct(labels)
        self.class_ids = class_ids
        self.weights_hash = weights_hash
        self.shape = shape or (card.input_size, card.input_size)
        self._hold_still()

    def _hold_still(self) -> None:
        self.network.requires_grad_(False)
        if self.card.kind != "exported":
            super().train(False)

    def train(self, mode: bool = True) -> Classifier:
        """Refuses training mode: batch statistics would change under an attack."""
        if mode:
            raise ModelError("A classifier under attack stays in evaluation mode.")
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Image batch (N,3,H,W) to logits (N,K), which come back to where the images are."""
        logits: Tensor = self.network(self.fitting(images))
        return self.checked(logits).to(images.device)

    def fitting(self, images: Tensor) -> Tensor:
        """``images`` where the network is, in the precision of its weights."""
        return images.to(self.device, (self.dtype if images.is_floating_point() else None) or images.dtype)

    def checked(self, logits: Tensor) -> Tensor:
        """``logits``, those of 16 bits as 32. Raises ModelError for any that is NaN or infinite.

        Comparisons with NaN are all false: an attack would succeed, or a fooling rate be 0, without a word.
        """
        if logits.device.type != "meta" and not bool(logits.isfinite().all()):
            raise ModelError(
                f"{self.card.name} gives scores that are NaN or infinite for some of these pictures, so nothing can be told "
                "from them. Do its weights overflow, or hold values that are no numbers?"
            )
        return logits.float() if logits.element_size() < 4 else logits

    def takes(self, images: Tensor) -> bool:
        """Whether ``images`` have the shape (N,3,H,W) of this network's input."""
        return images.ndim == 4 and images.shape[1] == 3 and self.shape in (None, tuple(images.shape[2:]))

    def learn_classes(self, images: Tensor) -> None:
        """Make sure that ``labels`` are known, for images (N,3,H,W) such as these; a card lists them."""

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return device_of(self)

    @property
    def dtype(self) -> torch.dtype | None:
        """The precision of the network's weights; None without weights. Those of 8 bits are stored so, not computed with."""
        weights = itertools.chain(self.parameters(), self.buffers())
        return next((tensor.dtype for tensor in weights if tensor.is_floating_point() and tensor.element_size() > 1), None)

    @property
    def size(self) -> int:
        """Side of the square input in pixels. Raises ModelError for a network whose input is no square, or of any size."""
        if self.shape is None or self.shape[0] != self.shape[1]:
            raise ModelError(f"This works on square pictures of one size, and {self.card.name} was not wrapped for such.")
        return self.shape[0]

    @property
    def batch_shape(self) -> str:
        """The shape of an image batch that it takes, for sentences: (N,3,224,224), or (N,3,H,W) where any will do."""
        height, width = self.shape or ("H", "W")
        return f"(N,3,{height},{width})"

    def index_of(self, label: str | int) -> int:
        """Class index of a name; an index is held to the classes that there are.

        Raises ModelError when this network does not know it, SettingError for what is neither a name nor a whole number.
        """
        if isinstance(label, str):
            if label in self.labels:
                return self.labels.index(label)
            alike = [name for name in self.labels if name.startswith(f"{label} (")]
            several = f": give the whole name, {' or '.join(map(repr, alike))}" if len(alike) > 1 else ""
            raise ModelError(f"{self.card.name} has {'several classes' if several else 'no class'} {label!r}{several}.")
        check_whole("a class", label, least=0)
        if label >= len(self.labels):
            raise SettingError(f"{self.card.name} has classes 0 to {len(self.labels) - 1}, and none of number {label}.")
        return int(label)

    def check_takes(self, images: Tensor) -> None:
        """Raise DatasetError unless ``images`` have the shape (N,3,H,W) of this network's input."""
        if not self.takes(images):
            raise DatasetError(f"{self.card.name} takes images {self.batch_shape}, not {tuple(images.shape)}.")
