"""Two halves of a set of pictures, one to craft on and one to measure on, without a picture that is in both."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from uap_core.errors import DatasetError

if TYPE_CHECKING:
    from uap_core.datasets.image_sets import ImageSet


class BothHalvesWarning(UserWarning):
    """Pictures are crafted on and measured on, which would flatter a pattern."""


def halved(everything: ImageSet) -> tuple[ImageSet, ImageSet]:
    """Every other picture to craft on, the others held out. Raises DatasetError for a single one."""
    import torch

    if len(everything) < 2:
        raise DatasetError(f"{everything.name!r} has one picture; crafting and measuring need at least two.")
    order = torch.arange(len(everything))
    craft, held_out = everything.subset(order[::2]), everything.subset(order[1::2])
    return replace(craft, name=f"{craft.name} (craft)"), replace(held_out, name=f"{held_out.name} (held-out)")


def disjoint(craft: ImageSet, held_out: ImageSet) -> tuple[ImageSet, ImageSet]:
    """Both, the craft set without pictures that equal a held-out one pixel by pixel."""
    import torch

    known = {picture.numpy().tobytes() for picture in held_out.pixels}
    new = [i for i, picture in enumerate(craft.pixels) if picture.numpy().tobytes() not in known]
    twice = len(craft) - len(new)
    if not twice:
        return craft, held_out
    if not new:
        raise DatasetError(f"Every picture of {craft.name!r} that could be crafted on is held out too.")
    pictures = "1 picture is" if twice == 1 else f"{twice} pictures are"
    said = f"{pictures} in both halves of {held_out.name.removesuffix(' (held-out)')}: left out of the craft set."
    warnings.warn(said, BothHalvesWarning, stacklevel=3)
    return replace(craft.subset(torch.tensor(new)), left_out=twice), held_out
