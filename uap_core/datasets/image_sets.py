"""Sets of images: a folder or zip with one folder a class, read once into one uint8 array.

The layout is ``[split/]class/picture``, as in ImageFolder; ``listing.SPLITS`` holds the names of splits, in any case. A class
folder is named by its WordNet id for ImageNet's classes, by anything else otherwise; pictures may also be in one folder without
classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from uap_core.checks import check_path, check_whole
from uap_core.datasets.halves import disjoint, halved
from uap_core.datasets.listing import SPLITS, listing, of_classes, of_split, ranked
from uap_core.errors import DatasetError, ImageError, SettingError
from uap_core.images.batches import as_bytes, check_shape, check_tensor
from uap_core.images.eight_bits import from_bytes
from uap_core.images.reading import LARGEST_SIDE, check_interpolation, open_image, square

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class ImageSet:
    """Hold a set of images, read once.

    Args:
        name: what tables call it.
        pixels: uint8 (N,3,H,W), or floats in [0,1], which are rounded to 256 levels.
        classes: the folder that each image came from, N names.
        files: the file that each image came from, N names.
        left_out: how many pictures of a craft set were left out since the held-out set has them too.

    Raises:
        SettingError: pixels that are neither, or other than one name for each.

    Example:
        >>> import uap_core
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=8)
        >>> len(images), tuple(images.images().shape), tuple(images.prefix(2).pixels.shape)
        (8, (8, 3, 64, 64), (2, 3, 64, 64))
    """

    name: str
    pixels: Tensor
    classes: tuple[str, ...]
    files: tuple[str, ...]
    left_out: int = 0

    def __post_init__(self) -> None:
        check_tensor(self.pixels)
        check_shape(self.pixels)
        if str(self.pixels.dtype) != "torch.uint8":
            object.__setattr__(self, "pixels", as_bytes(self.pixels))
        if not len(self.pixels) == len(self.classes) == len(self.files):
            raise SettingError(
                f"A set of {len(self.pixels)} images has as many names of classes and of files, not {len(self.classes)} and "
                f"{len(self.files)}."
            )

    @classmethod
    def of(cls, images: ImageSet | Tensor, name: str = "a tensor") -> ImageSet:
        """A set unchanged; a tensor as a set without classes: uint8 (N,3,H,W), or floats in [0,1]. Raises SettingError."""
        if isinstance(images, ImageSet):
            return images
        pixels = as_bytes(images)
        return cls(name, pixels, ("",) * len(pixels), tuple(map(str, range(len(pixels)))))

    def __len__(self) -> int:
        return len(self.files)

    def images(self, indices: Tensor | slice | None = None) -> Tensor:
        """Return the images at ``indices``, or all of them, as a batch, float32 (n,3,H,W) in [0,1]."""
        return from_bytes(self.pixels if indices is None else self.pixels[indices])

    def batches(self, size: int = 16) -> Iterator[Tensor]:
        """All images in order, ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self.images(slice(start, start + size))

    def subset(self, indices: Tensor) -> ImageSet:
        """The images at ``indices`` (n,), in that order, or those where a mask (N,) of truths is true."""
        import torch

        indices = indices.nonzero()[:, 0] if indices.dtype == torch.bool else indices
        chosen = indices.tolist()
        return replace(
            self,
            pixels=self.pixels[indices],
            classes=tuple(self.classes[i] for i in chosen),
            files=tuple(self.files[i] for i in chosen),
        )

    def prefix(self, count: int) -> ImageSet:
        """The first ``count`` images. Prefixes are nested: the images of a smaller one are in every larger one."""
        return replace(self, pixels=self.pixels[:count], classes=self.classes[:count], files=self.files[:count])

    def shuffled(self, generator: torch.Generator) -> ImageSet:
        """The same images in an order drawn from ``generator``."""
        import torch

        return self.subset(torch.randperm(len(self), generator=generator))

    def truth(self, class_names: tuple[str, ...]) -> Tensor | None:
        """Ground-truth indices (N,) into a network's ``class_names``; None when some folder is not among them, or
        has no name: a network need not say which folders it knows, and a picture may lie in none."""
        import torch

        index = {name: i for i, name in enumerate(class_names) if name}
        if not all(name in index for name in self.classes):
            return None
        return torch.tensor([index[name] for name in self.classes])


def open_image_set(
    source: str | Path,
    split: str | None,
    resize: int,
    crop: int,
    limit: int | None = None,
    interpolation: str = "bilinear",
    classes: int | None = None,
) -> ImageSet:
    """Read a folder or zip of pictures as squares, preprocessed as in ``images.square``.

    Pictures that cannot be opened are passed over.

    Args:
        source: folder or zip, one folder a class: ``[split/]class/picture``.
        split: "craft", "held_out", or None for all images.
        resize: pixels of the short side before cutting.
        crop: pixels of the square's side.
        limit: keep the first images, in the order of classes and files, spread over the classes.
        interpolation: "bilinear" or "bicubic".
        classes: number of class folders to keep, evenly spaced in their order.

    Raises:
        DatasetError: there is no such folder or zip, or no picture in it.

    Example:
        >>> import uap_core
        >>> uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=3).pixels.shape
        torch.Size([3, 3, 64, 64])
    """
    import torch

    check_path(source)
    check_interpolation(interpolation)
    for called, value in (("resize", resize), ("crop", crop)):
        check_whole(called, value, least=1, most=LARGEST_SIDE)
    for called, most in (("limit", limit), ("classes", classes)):
        if most is not None:
            check_whole(called, most, least=1)
    source = Path(source)
    names, read = listing(source)
    names = of_split(sorted(names), split)
    if classes is not None:
        names = of_classes(names, classes)
    if limit is not None:
        names = [name for _, name in sorted(ranked(names), key=lambda pair: pair[0])]
    opened: dict[str, np.ndarray] = {}
    for name in names:
        if limit is not None and len(opened) >= limit:
            break
        try:
            opened[name] = np.asarray(square(open_image(read(name)), resize, crop, interpolation)).transpose(2, 0, 1)
        except ImageError:
            continue
    kept = sorted(opened)
    if not kept:
        where = f"under {split!r} in {source.name!r}" if split else f"in {source.name!r}"
        raise DatasetError(f"No picture was found {where}. Put pictures there, one folder a class.")
    return ImageSet(
        name=f"{source.stem} ({split.replace('_', '-')})" if split else source.stem,
        pixels=torch.from_numpy(np.stack([opened[name] for name in kept])),
        classes=tuple(PurePosixPath(name).parent.name for name in kept),
        files=tuple(kept),
    )


def open_splits(
    source: str | Path,
    resize: int,
    crop: int,
    limit: int | None = None,
    interpolation: str = "bilinear",
    classes: int | None = None,
) -> tuple[ImageSet, ImageSet]:
    """The craft set and the held-out set of ``source``, disjoint by construction.

    Where the source has splits they are used; otherwise every other picture is held out. A picture that is in both, pixel by
    pixel, is taken out of the craft set, whose ``left_out`` counts them; a BothHalvesWarning says so.
    """

    def opened(split: str | None) -> ImageSet:
        return open_image_set(source, split, resize, crop, limit, interpolation=interpolation, classes=classes)

    pair = (opened("craft"), opened("held_out")) if all(_splits_of(source)) else halved(opened(None))
    return disjoint(*pair)


def open_held_out(
    source: str | Path,
    resize: int,
    crop: int,
    limit: int | None = None,
    interpolation: str = "bilinear",
    crafted_on: str = "",
) -> ImageSet:
    """What there is to measure on in ``source``: its held-out split, or all pictures where it has none.

    ``crafted_on`` is what a pattern's provenance says of its craft set. Where that is from this source, the held-out set of
    ``open_splits`` is measured on: of a source without splits the other half, and pictures in both halves are said.
    """
    craft, held_out = _splits_of(source)
    if craft == held_out and crafted_on.endswith(f" images of {Path(source).stem} (craft)"):
        return open_splits(source, resize, crop, limit, interpolation)[1]
    return open_image_set(source, "held_out" if held_out else None, resize, crop, limit, interpolation=interpolation)


def _splits_of(source: str | Path) -> tuple[bool, ...]:
    """Whether there are pictures to craft on, and held-out ones."""
    names, _ = listing(Path(source))
    return tuple(bool(of_split(names, split)) for split in SPLITS)
