"""Input transformations as defences: each picture is changed slightly before the network sees it.

All of these give the same output for the same input. Where a defence has steps and no slope, what passes for its gradient is
a surrogate, which an attacker uses too (BPDA: Athalye, Carlini and Wagner, ICML 2018); each says which it has. Nothing
heavy is imported here, so that the page can list them at once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

from uap_core.errors import SettingError

if TYPE_CHECKING:
    from torch import Tensor

EXACT, STRAIGHT_THROUGH, SMOOTH_MODEL = "exact", "straight_through", "smooth_model"
GRADIENTS = {EXACT: "exact", STRAIGHT_THROUGH: "straight-through", SMOOTH_MODEL: "of a smooth model"}


@dataclass(frozen=True)
class Defence(ABC):
    """A function of pictures, float32 (N,3,H,W) in [0,1], to pictures of the same shape and range.

    ``gradient`` is EXACT where autograd computes the true derivative, STRAIGHT_THROUGH where the backward pass takes the
    function for the identity, SMOOTH_MODEL where it is the true derivative of something like it. Files call a kind of defence
    by its ``key``; ``form`` is its display name around the strength, its one field. Constructors raise SettingError for a
    strength out of range.
    """

    key: ClassVar[str]
    form: ClassVar[str]
    gradient: ClassVar[str]

    @property
    def strength(self) -> float:
        """Its one setting."""
        (field,) = fields(self)
        return float(getattr(self, field.name))

    @property
    def name(self) -> str:
        """Display name, with the strength."""
        return self.form.format(self.strength)

    @property
    def id(self) -> str:
        """What rows call it: kind and strength."""
        return f"{self.key}-{self.strength:g}"

    @abstractmethod
    def __call__(self, images: Tensor) -> Tensor:
        """The pictures that the network sees."""


@dataclass(frozen=True)
class Jpeg(Defence):
    """To JPEG and back, by the codec itself at ``quality`` 1 to 95 (Dziugaite et al., 2016); a smooth model of it backwards.

    With 800 image-gradients on ResNet-64 at quality 50 that model found a pattern that fooled 69 % of 400 validation images,
    the identity one that fooled 63 %, the model with rounding passed straight through 64 %; at quality 75 71, 61 and 67 %.
    """

    key: ClassVar[str] = "jpeg"
    form: ClassVar[str] = "JPEG {:g}"
    quality: int = 50
    gradient: ClassVar[str] = SMOOTH_MODEL

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 95:
            raise SettingError("The quality of a JPEG must be between 1 and 95.")

    def __call__(self, images: Tensor) -> Tensor:
        """See ``Defence``."""
        from uap_core.defences.jpeg import smooth_codec, through_codec

        decoded = through_codec(images, self.quality)
        return straight_through(decoded, smooth_codec(images, self.quality)) if images.requires_grad else decoded


@dataclass(frozen=True)
class BitDepth(Defence):
    """Each value rounded to the nearest of 2^``bits`` levels, 1 to 8 bits (feature squeezing: Xu, Evans and Qi, NDSS 2018).
    Straight-through."""

    key: ClassVar[str] = "bits"
    form: ClassVar[str] = "{:g} bits"
    bits: int = 3
    gradient: ClassVar[str] = STRAIGHT_THROUGH

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 8:
            raise SettingError("A value has 1 to 8 bits.")

    def __call__(self, images: Tensor) -> Tensor:
        """See ``Defence``."""
        steps = 2**self.bits - 1
        return straight_through((images.detach() * steps).round() / steps, images)


@dataclass(frozen=True)
class Blur(Defence):
    """Gaussian blur of standard deviation ``sigma`` pixels, cut off at three of them, borders reflected. Exact."""

    key: ClassVar[str] = "blur"
    form: ClassVar[str] = "blur {:g}"
    sigma: float = 1.0
    gradient: ClassVar[str] = EXACT

    def __post_init__(self) -> None:
        if not 0 <= self.sigma <= 5:
            raise SettingError("The blur's sigma must be between 0 and 5 pixels.")

    def __call__(self, images: Tensor) -> Tensor:
        """See ``Defence``."""
        import torch
        from torch.nn import functional as F

        radius = min(math.ceil(3 * self.sigma), min(images.shape[2:]) - 1)
        places = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
        weights = (-0.5 * (places / max(self.sigma, 1e-3)).square()).exp()
        row = (weights / weights.sum()).expand(3, 1, 1, -1)
        padded = F.pad(images, (radius, radius, radius, radius), mode="reflect")
        return _in_range(F.conv2d(F.conv2d(padded, row, groups=3), row.transpose(2, 3), groups=3))


@dataclass(frozen=True)
class CropAndResize(Defence):
    """The middle of the picture, ``share`` of its side, enlarged to the picture's size by bilinear interpolation. Exact.

    Always the middle, so that the same picture gives the same answer; crops at random places are averaged over by an attacker
    in any case (Guo et al., ICLR 2018, have both).
    """

    key: ClassVar[str] = "crop"
    form: ClassVar[str] = "crop {:.0%}"
    share: float = 0.9
    gradient: ClassVar[str] = EXACT

    def __post_init__(self) -> None:
        if not 0.1 <= self.share <= 1:
            raise SettingError("A crop must keep a share of the picture's side between 0.1 and 1.")

    def __call__(self, images: Tensor) -> Tensor:
        """See ``Defence``."""
        from torch.nn import functional as F

        height, width = images.shape[2:]
        kept_height, kept_width = (max(1, round(self.share * side)) for side in (height, width))
        top, left = (height - kept_height) // 2, (width - kept_width) // 2
        middle = images[..., top : top + kept_height, left : left + kept_width]
        return _in_range(F.interpolate(middle, size=(height, width), mode="bilinear", align_corners=False))


DEFENCES: tuple[Defence, ...] = (Jpeg(75), Jpeg(50), Blur(1.0), BitDepth(3), CropAndResize(0.9))


def straight_through(value: Tensor, surrogate: Tensor) -> Tensor:
    """``value`` to the last bit, with the gradient of ``surrogate``."""
    return value.detach() + (surrogate - surrogate.detach())


def _in_range(images: Tensor) -> Tensor:
    """Clamp to [0,1] with gradient 1: weighted means of pixels leave the range by rounding alone."""
    return straight_through(images.clamp(0, 1), images)
