"""Several patterns of which the best is taken for each picture: the next is crafted on what those so far leave.

A set of k patterns fools a picture when any of them does (Patracone et al., "Semi-universal perturbations", ECML 2024;
"Cocktail universal adversarial attack", ECCV 2024, which trains five and a network that picks). Here they are crafted
greedily, so that the first k of a longer list are the list of k.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from uap_core.crafting.base import Crafter, Progress
from uap_core.crafting.problem import MEASURE_BATCH, clean_logits, perturbed
from uap_core.errors import DatasetError, SettingError
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

LEAST = 8  # pictures that a next pattern is crafted on: fewer that are left are filled up by those that were fooled last


@torch.inference_mode()
def logits_under(classifier: Classifier, images: Tensor, v: Tensor) -> Tensor:
    """Logits (N,K) of uint8 ``images`` (N,3,H,W) under ``v``."""
    return torch.cat([classifier(perturbed(part, v)) for part in images.split(MEASURE_BATCH)])


def margins(clean: Tensor, under: Tensor) -> Tensor:
    """Z'_y - max_{j != y} Z'_j (n,) of logits ``under`` a pattern, y the answer of the ``clean`` ones (n,K): negative where
    fooled."""
    y = clean.argmax(dim=1, keepdim=True)
    own = under.gather(1, y)[:, 0]
    return own - under.scatter(1, y, -torch.inf).amax(dim=1)


def left_over(each: Tensor, least: int = LEAST) -> Tensor:
    """Indices (n,) of the images that none of the patterns fools, by their margins ``each`` (k,N).

    Where that are fewer than ``least``, those that are fooled by the least fill up.
    """
    best = each.amin(dim=0)
    count = max(int((best >= 0).sum()), min(least, len(best)))
    return best.argsort(descending=True)[:count].sort().values


def next_pattern(
    classifier: Classifier, images: Tensor, ball: Ball, method: Crafter, earlier: Sequence[Tensor], seed: int = 0
) -> Iterator[Progress]:
    """Craft one more pattern on those of ``images`` that no ``earlier`` one fools; yields its progress, the result last.

    Args:
        classifier: the network.
        images: the craft set, uint8 (N,3,H,W).
        ball: what the pattern must stay in.
        method: how to craft it.
        earlier: the patterns (3,H,W) so far.
        seed: the run's; its number in the list is added, so that an equal set would not give an equal pattern.

    Raises:
        DatasetError: no images, or images that do not fit the network.
        SettingError: earlier patterns of another size.
    """
    if not len(images):
        raise DatasetError("There are no images to craft on.")
    if any(v.shape != images.shape[1:] for v in earlier):
        raise SettingError("The patterns so far have another size than the images.")
    clean = clean_logits(classifier, images)
    each = [margins(clean, logits_under(classifier, images, v)) for v in earlier]
    rest = left_over(torch.stack(each)) if each else torch.arange(len(images))
    generator = torch.Generator().manual_seed(seed + len(earlier))
    yield from method.craft(classifier, images[rest], ball, generator)


def greedy(
    classifier: Classifier, images: Tensor, ball: Ball, method: Crafter, count: int, seed: int = 0
) -> Iterator[Progress]:
    """``count`` patterns, one after another, each crafted on what the ones before it leave: the end of each run."""
    if count < 1:
        raise SettingError("Several patterns are at least one.")
    found: list[Tensor] = []
    for _number in range(count):
        *_, last = next_pattern(classifier, images, ball, method, found, seed)
        found.append(last.perturbation)
        yield last
