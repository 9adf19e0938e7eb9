"""Dreamt images: inputs optimised from noise until a network sees a class in them (class impressions, AAA, ECCV 2018).

Where the network has batch normalisation, the statistics of a batch of dreams are pulled towards those that training left
in it (DeepInversion, Yin et al., CVPR 2020): that is what makes a pattern crafted on dreams work on photographs. Networks
without it fall back on smoothness alone.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.errors import SettingError
from uap_core.identity import identity
from uap_core.images import to_array
from uap_core.models.classifier import Classifier
from uap_core.models.precision import sixteen_bits
from uap_core.perturbation import versions
from uap_core.texts import _

SPLITS = ("craft", "held_out")
# Square root of the covariance of red, green and blue over 2 000 training photographs, on the logit scale.
COLOURS = ((1.35, 0.74, 0.52), (0.74, 1.15, 0.77), (0.52, 0.77, 1.47))
CONTRAST = 0.15  # at the start, channels have about unit deviation, as photographs have


@dataclass(frozen=True)
class Dreamer:
    """steps of Adam at ``rate`` (falling to zero along a cosine) a batch; weights of the statistics and smoothness terms.

    Each image aims at its own probability for its class, drawn between ``least`` and ``most``, since photographs, too, are
    recognised with very different confidence. ``jitter`` is the largest shift in pixels at each step.
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

    def dream(self, classifier: Classifier, classes: Tensor, generator: torch.Generator) -> Iterator[tuple[int, Tensor]]:
        """One batch: images of ``classes`` (n,), yielded as (step, images (n,3,S,S) in [0,1]) after each step."""
        size, count = classifier.size, len(classes)
        spectrum = 0.2 * torch.randn(count, 3, size, size // 2 + 1, 2, generator=generator)
        spectrum.requires_grad_(True)
        optimiser = torch.optim.Adam([spectrum])
        targets = self._targets(classes, len(classifier.labels), generator)
        with _BatchStatistics(classifier) as statistics:
            for step in range(self.steps):
                for group in optimiser.param_groups:
                    group["lr"] = self.rate * (1 + math.cos(math.pi * step / self.steps)) / 2
                images = paint(spectrum, size)
                with sixteen_bits():
                    logits = classifier(shift_and_flip(images, self.jitter, generator))
                loss = F.cross_entropy(logits.float(), targets)
                loss = loss + self.statistics * statistics.distance() + self.smoothness * total_variation(images)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                yield step + 1, paint(spectrum.detach(), size)

    def _targets(self, classes: Tensor, total: int, generator: torch.Generator) -> Tensor:
        """(n, total): the aimed-at probability on the class, the rest on one random other class and a little on all."""
        count = len(classes)
        sure = torch.empty(count, 1).uniform_(self.least, self.most, generator=generator)
        other = (classes + torch.randint(1, total, (count,), generator=generator)) % total
        rest = 0.7 * F.one_hot(other, total) + 0.3 / total
        return sure * F.one_hot(classes, total) + (1 - sure) * rest


class _BatchStatistics:
    """Listens at every batch normalisation: how far are this batch's mean and deviation from the trained ones?"""

    def __init__(self, classifier: nn.Module) -> None:
        self.layers = [module for module in classifier.modules() if isinstance(module, nn.BatchNorm2d)]
        self.terms: list[Tensor] = []

    def __enter__(self) -> _BatchStatistics:
        self.hooks = [layer.register_forward_pre_hook(self._listen) for layer in self.layers]
        return self

    def __exit__(self, *exception: object) -> None:
        for hook in self.hooks:
            hook.remove()

    def _listen(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, nn.BatchNorm2d)
        x = inputs[0].float()
        mean, variance = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3))
        assert layer.running_mean is not None
        assert layer.running_var is not None
        trained_mean, trained_deviation = layer.running_mean, (layer.running_var + 1e-5).sqrt()
        shift = ((mean - trained_mean) / trained_deviation).square().mean()
        spread = (variance.add(1e-5).sqrt() / trained_deviation - 1).square().mean()
        self.terms.append(shift + spread)

    def distance(self) -> Tensor:
        """Mean over the layers since the last call; zero for a network without batch normalisation."""
        terms, self.terms = self.terms, []
        return torch.stack(terms).mean() if terms else torch.zeros(())


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


def dream_set(
    classifier: Classifier, count: int, path: Path, seed: int, dreamer: Dreamer | None = None
) -> Iterator[tuple[int, int]]:
    """Dream ``count`` images, half craft and half held-out from independent draws, and write them as a zip of images.

    Yields (steps done, steps in all). The zip has the layout of every image set: split/class/number.webp, lossless.
    Raises SettingError when ``count`` cannot be halved.
    """
    if count < len(SPLITS) or count % len(SPLITS):
        raise SettingError(_("The number of dreams must be even and at least 2: half to craft on, half held out."))
    dreamer = dreamer or Dreamer()
    half = count // len(SPLITS)
    batches = math.ceil(half / dreamer.batch_size)
    total = len(SPLITS) * batches * dreamer.steps
    names = classifier.class_ids or classifier.labels
    done = 0
    beside = path.with_suffix(".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
        for number, split in enumerate(SPLITS):
            generator = torch.Generator().manual_seed(seed * len(SPLITS) + number)
            classes = torch.arange(half) % len(classifier.labels)
            classes = classes[torch.randperm(half, generator=generator)]
            written = 0
            for batch in classes.split(dreamer.batch_size):
                for _step, dreams in dreamer.dream(classifier, batch, generator):
                    images = dreams
                    done += 1
                    if done % 10 == 0:
                        yield done, total
                for image, label in zip(images, batch.tolist(), strict=True):
                    archive.writestr(f"{split}/{names[label]}/{written:04d}.webp", _lossless(image))
                    written += 1
    beside.replace(path)
    yield total, total


def write_dream_card(classifier: Classifier, count: int, path: Path, seed: int, dreamer: Dreamer | None = None) -> None:
    """Beside the zip at ``path``: which network dreamt, how, and when. Measurements are added when they are made."""
    card = {
        "network": classifier.card.key,
        "weights_sha256": classifier.weights_hash,
        "count": count,
        "splits": "half to craft on, half held out, from independent draws",
        **identity(dreamer or Dreamer()),
        "seed": seed,
        **versions(),
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def _lossless(image: Tensor) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(to_array(image)).save(stream, format="WEBP", lossless=True, quality=100, method=6)
    return stream.getvalue()
