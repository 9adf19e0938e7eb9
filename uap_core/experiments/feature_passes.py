"""What a network feels of photographs: penultimate features and channels, as they are, under a pattern, under random noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from uap_core.models.last_layer import look
from uap_core.perturbations.perturbation import apply

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.datasets.image_sets import ImageSet
    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation


@dataclass(frozen=True)
class Felt:
    """Of N photographs: the ``features`` (N,C) that the last layer reads, the means of the ``channels`` (N,D) of the last
    feature maps, None where there are none, and the predicted ``labels`` (N,)."""

    features: Tensor
    channels: Tensor | None
    labels: Tensor

    def and_more(self, other: Felt) -> Felt:
        """The photographs of both."""
        together = None
        if self.channels is not None and other.channels is not None:
            together = torch.cat([self.channels, other.channels])
        return Felt(torch.cat([self.features, other.features]), together, torch.cat([self.labels, other.labels]))


@dataclass(frozen=True)
class Passes:
    """The same photographs ``clean``, ``under`` the pattern, and under ``noise``: random signs of the same norm."""

    clean: Felt
    under: Felt
    noise: Felt


@torch.inference_mode()
def felt(classifier: Classifier, images: Tensor) -> Felt:
    """One forward pass of images (n,3,H,W). Raises SettingError for a network whose features cannot be reached."""
    seen = look(classifier, images)
    channels = None if seen.maps is None else seen.maps.mean(dim=(2, 3)).cpu()
    return Felt(seen.features.cpu(), channels, seen.logits.argmax(dim=1).cpu())


def passes(
    classifier: Classifier, perturbation: Perturbation, images: ImageSet, generator: torch.Generator, batch_size: int = 32
) -> Iterator[Passes]:
    """All photographs so far, after every batch; the last one is the result. ``generator`` draws the noise.

    Raises SettingError for a network whose features cannot be reached.
    """
    signs, so_far = perturbation.ball.random_signs(tuple(perturbation.pattern.shape), generator), None
    for batch in images.batches(batch_size):
        now = [felt(classifier, part) for part in (batch, perturbation.apply(batch), apply(batch, signs))]
        before = (so_far.clean, so_far.under, so_far.noise) if so_far else ()
        so_far = Passes(*([one.and_more(two) for one, two in zip(before, now, strict=True)] if before else now))
        yield so_far
