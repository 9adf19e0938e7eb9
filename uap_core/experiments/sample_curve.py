"""The sample curve: fooling rate on one held-out set against the number of craft images (the paper's Figure 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.crafting.base import Crafter
from uap_core.crafting.problem import predicted
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

# Figure 6 of Moosavi-Dezfooli et al. (CVPR 2017): GoogLeNet, l_inf 10/255, images in X against fooling rate on validation.
PAPER_FIGURE_6 = ((500, 0.31), (1000, 0.37), (2000, 0.49), (4000, 0.69))


@dataclass(frozen=True)
class SampleRow:
    """A pattern crafted on the first ``images`` images, measured on the craft prefix and on the held-out set.

    A row with ``done`` False is progress within one crafting run (``share`` of its steps), without rates.
    """

    images: int
    seed: int
    craft_rate: Rate | None
    held_out_rate: Rate | None
    image_gradients: int
    seconds: float
    share: float = 1.0
    done: bool = True


def nested_sizes(available: int, factor: int = 2) -> list[int]:
    """1, 2, 4, ... (or powers of another ``factor``), and all ``available`` as the last one."""
    sizes = []
    size = 1
    while size < available:
        sizes.append(size)
        size *= factor
    return [*sizes, available] if available else []


def sample_curve(
    classifier: Classifier,
    crafter: Crafter,
    craft: ImageSet,
    held_out: ImageSet,
    ball: Ball,
    sizes: Sequence[int],
    seed: int,
    keep: dict[int, Tensor] | None = None,
    clean: Tensor | None = None,
) -> Iterator[SampleRow]:
    """Craft on nested prefixes of a set and measure each pattern: how many pictures does it take?

    The order is drawn from ``seed``. By a method that steps in batches of one size every number of images runs the same number
    of steps, so that a point differs from its neighbour by its images alone. Moosavi-Dezfooli et al., CVPR 2017, Figure 6.

    Args:
        classifier: the network.
        crafter: the method.
        craft: images to craft on.
        held_out: images to measure on.
        ball: what the patterns must stay in.
        sizes: of the prefixes.
        seed: of the order and of the method.
        keep: is filled with the pattern (3,H,W) of each size.
        clean: class indices (N,) of ``held_out`` as it is, where they are known already.

    Raises:
        DatasetError: the two sets share a file.

    Example:
        >>> import uap_core
        >>> network, dreams = uap_core.load_model("resnet64"), uap_core.dreams_path("resnet64")
        >>> craft, held_out = (uap_core.open_image_set(dreams, split, 64, 64, limit=8) for split in ("craft", "held_out"))
        >>> ball, method = uap_core.Ball("linf", 10 / 255), uap_core.Default(budget=32)
        >>> rows = uap_core.sample_curve(network, method, craft, held_out, ball, (1, 8), seed=0)
        >>> [row.images for row in rows if row.done]
        [1, 8]
    """
    if craft.name == held_out.name and set(craft.files) & set(held_out.files):
        raise DatasetError("The craft set and the held-out set share images.")
    ordered = craft.shuffled(torch.Generator().manual_seed(seed))
    clean = predict(classifier, held_out.batches()) if clean is None else clean
    for size in sizes:
        part = ordered.prefix(size)
        progress = None
        for progress in crafter.craft(classifier, part.pixels, ball, torch.Generator().manual_seed(seed)):
            if progress.step % 10 == 0 and not progress.done:
                yield SampleRow(
                    len(part), seed, None, None, progress.image_gradients, progress.seconds, progress.share, done=False
                )
        if progress is None:
            raise DatasetError("There are no images to craft on.")
        if keep is not None:
            keep[size] = progress.perturbation
        rate = fooling_rate(clean, predicted(classifier, held_out.pixels, progress.perturbation))
        yield SampleRow(len(part), seed, progress.fooling_rate, rate, progress.image_gradients, round(progress.seconds, 2))
