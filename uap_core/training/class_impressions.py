"""Class impressions: images optimised from noise until a network sees a class in them (AAA, ECCV 2018).

The statistics of a batch are pulled towards those stored in the batch normalisations (DeepInversion, Yin et al., CVPR 2020),
without which patterns crafted on class impressions do not transfer to photographs. A network
without any can be kept to the statistics of its convolutions over some photographs; otherwise smoothness alone is left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.models.bf16 import sixteen_bits
from uap_core.models.card import IMAGENET_MEAN
from uap_core.models.classifier import Classifier
from uap_core.training.statistics import BatchStatistics, Moments, distance, trained

# Square root of the covariance of red, green and blue over 2 000 training photographs, on the logit scale.
COLOURS = ((1.35, 0.74, 0.52), (0.74, 1.15, 0.77), (0.52, 0.77, 1.47))
# Mean and deviation of the pixels of ImageNet's photographs: the latter over all of them together, measured on 300.
PIXELS = Moments(torch.nn.Identity(), torch.tensor(IMAGENET_MEAN), torch.tensor((0.274, 0.27, 0.282)))
CONTRAST = 0.15  # at the start, channels have about unit deviation, as photographs have


@dataclass(frozen=True)
class Dreamer:
    """steps of Adam at ``rate`` (falling to zero along a cosine) a batch; weights of the statistics and smoothness terms.

    The first ``coarse`` steps use images of half the side, at a quarter of the cost. A share ``heard`` of the batch
    normalisations is evaluated at each step. Each image aims at its own probability for its class, drawn between ``least``
    and ``most``, since photographs, too, are recognised with very different confidence. ``jitter`` is the largest shift in
    pixels at each step, ``noise`` the deviation of what is added to every value, so that class impressions outlast lossy files
    and random signs as photographs do. ``pixels`` weighs the statistics of the pixels themselves, without which many become
    black or white.
    """

    key: ClassVar[str] = "class_impressions"
    steps: int = 150
    batch_size: int = 128
    rate: float = 0.05
    statistics: float = 1.0
    smoothness: float = 1.0
    least: float = 0.3
    most: float = 0.98
    jitter: int = 6
    coarse: int = 0
    heard: float = 1.0
    noise: float = 0.0
    pixels: float = 0.0

    def dream(
        self, classifier: Classifier, classes: Tensor, generator: torch.Generator, kept_to: list[Moments] | None = None
    ) -> Iterator[tuple[int, Tensor]]:
        """One batch: images of ``classes`` (n,), yielded as (step, images (n,3,R,R) in [0,1]) after each step.

        R is the size to which photographs are resized, so that class impressions are cropped as they are. The statistics
        ``kept_to`` are those of the classifier's batch normalisations when left out.
        """
        side, count = classifier.card.resize_size, len(classes)
        spectrum = 0.2 * torch.randn(count, 3, side, side // 2 + 1, 2, generator=generator)
        spectrum.requires_grad_(True)
        targets = self._targets(classes, len(classifier.labels), generator)
        with BatchStatistics(trained(classifier) if kept_to is None else kept_to, self.heard, generator) as statistics:
            for step in range(self.steps):
                if step in (0, self.coarse):  # Adam's memory of small images misleads on large ones
                    optimiser = torch.optim.Adam([spectrum])
                for group in optimiser.param_groups:
                    group["lr"] = self.rate * (1 + math.cos(math.pi * step / self.steps)) / 2
                shrink = 2 if step < self.coarse else 1
                images = paint(lowest(spectrum, side // shrink), side // shrink)
                seen = self._view(images, classifier.size // shrink, self.jitter // shrink, generator)
                with sixteen_bits():
                    logits = classifier(seen)
                loss = F.cross_entropy(logits.float(), targets) + self.statistics * statistics.distance()
                loss = loss + self.smoothness * total_variation(images) + self.pixels * distance(images, PIXELS)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                yield step + 1, paint(spectrum.detach(), side)

    def _view(self, images: Tensor, size: int, jitter: int, generator: torch.Generator) -> Tensor:
        """What the network sees of images at a step: (n,3,size,size)."""
        seen = centre(shift_and_flip(images, jitter, generator), size)
        if self.noise:
            seen = seen + self.noise * torch.randn(seen.shape, generator=generator)
        return seen.contiguous(memory_format=torch.channels_last)

    def _targets(self, classes: Tensor, total: int, generator: torch.Generator) -> Tensor:
        """(n, total): the aimed-at probability on the class, the rest on one random other class and a little on all."""
        count = len(classes)
        sure = torch.empty(count, 1).uniform_(self.least, self.most, generator=generator)
        other = (classes + torch.randint(1, total, (count,), generator=generator)) % total
        rest = 0.7 * F.one_hot(other, total) + 0.3 / total
        return sure * F.one_hot(classes, total) + (1 - sure) * rest


def paint(spectrum: Tensor, size: int) -> Tensor:
    """Images (n,3,size,size) in [0,1] from Fourier coefficients (n,3,size,size//2+1,2) of decorrelated colours.

    Coefficients are scaled by 1/frequency and colours mixed as in photographs, so that a step of the optimiser makes changes
    that a photograph could have (Olah et al., "Feature Visualization", Distill 2017).
    """
    down, across = torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None]
    frequency = (down.square() + across.square()).sqrt().clamp_min(1 / size)
    coefficients = torch.view_as_complex(spectrum.contiguous()) / (frequency * size)
    channels = torch.fft.irfft2(coefficients, s=(size, size), norm="forward") * CONTRAST
    return torch.einsum("rc,nchw->nrhw", torch.tensor(COLOURS), channels).sigmoid()


def lowest(spectrum: Tensor, size: int) -> Tensor:
    """Of coefficients (n,3,S,S//2+1,2) those that images of an even ``size`` have, too: the same pictures with less detail."""
    if size == spectrum.shape[2]:
        return spectrum
    half = size // 2
    return torch.cat([spectrum[:, :, :half], spectrum[:, :, -half:]], dim=2)[:, :, :, : half + 1]


def centre(images: Tensor, size: int) -> Tensor:
    """The central (N,C,size,size) of images (N,C,H,W), as photographs are cropped."""
    top, left = (round((side - size) / 2) for side in images.shape[2:])
    return images[:, :, top : top + size, left : left + size]


def total_variation(images: Tensor) -> Tensor:
    """Mean absolute difference between neighbours, per value of images (N,C,H,W)."""
    across = (images[..., 1:] - images[..., :-1]).abs().mean()
    down = (images[..., 1:, :] - images[..., :-1, :]).abs().mean()
    return across + down


def shift_and_flip(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """The whole batch rolled by up to ``most`` pixels each way, mirrored half of the time."""
    down, across = torch.randint(-most, most + 1, (2,), generator=generator).tolist()
    images = images.roll((down, across), dims=(2, 3))
    return images.flip(3) if torch.rand(1, generator=generator) < 0.5 else images
