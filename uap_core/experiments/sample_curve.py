"""The sample curve: fooling rate on one held-out set against the number of craft images (the paper's Figure 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.crafting.loop import Crafter
from uap_core.crafting.problem import predicted
from uap_core.datasets import ImageSet
from uap_core.errors import DatasetError
from uap_core.metrics import Rate, fooling_rate, predict
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.texts import _

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
    """1, 2, 4, ... (or in steps of another ``factor``) and at last all that are available."""
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
    """Craft on nested prefixes of ``craft`` in an order drawn from ``seed`` and measure each pattern on ``held_out``.

    Every size runs the same number of steps, so a point differs from its neighbour by its images alone. ``keep`` is filled
    with the pattern of each size. ``clean`` are the class indices (N,) of ``held_out`` as it is, where they are known already.
    Raises DatasetError when the two sets share a file.
    """
    if craft.name == held_out.name and set(craft.files) & set(held_out.files):
        raise DatasetError(_("The craft set and the held-out set share images."))
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
            raise DatasetError(_("There are no images to craft on."))
        if keep is not None:
            keep[size] = progress.perturbation
        rate = fooling_rate(clean, predicted(classifier, held_out.pixels, progress.perturbation))
        yield SampleRow(len(part), seed, progress.fooling_rate, rate, progress.image_gradients, round(progress.seconds, 2))
