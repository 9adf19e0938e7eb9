"""One photograph at every strength of a pattern: the pictures that are shown, and what a network says of each.

The page's script makes the same pictures by the same arithmetic (static/first_view.js), so that what is seen while a slider
moves is, to the last level, the picture that was judged here and that the download holds. All is counted in levels, 0 to 255.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from uap_core.images.eight_bits import from_bytes
from uap_core.images.reading import square
from uap_core.norms import LINF, of_levels

if TYPE_CHECKING:
    from uap_core.experiments.apply import Exhibit
    from uap_core.models.card import Card
    from uap_core.models.classifier import Classifier

SHOWN_SIDE = 448  # of the picture that is shown of a network that takes small ones
BATCH = 8  # 6 % slower a picture than 16, and 150 MB less at 224 pixels: pages of many visitors share one machine
HAIR = 1e-3  # levels: what rounding may add before a change counts as outside its ball


@dataclass(frozen=True)
class Answer:
    """What a network says of one picture: the class by its index and name, and its probability."""

    index: int
    label: str
    sure: float


@dataclass(frozen=True)
class Change:
    """A change of pictures in whole numbers, as the page's script gets it.

    ``values`` int16 (s,s,3) divided by ``unit`` are levels, at the strength ``radius`` (levels) in the norm ``p``.
    """

    values: np.ndarray
    unit: float
    p: str
    radius: float

    def at(self, strength: float) -> np.ndarray:
        """The change at another strength, float64 (s,s,3) in levels."""
        return self.values * (strength / self.radius / self.unit if self.radius else 0.0)


def change_of(levels: np.ndarray, p: str, radius: float) -> Change:
    """A pattern (s,s,3) in levels as a ``Change``; shipped ones are whole numbers already."""
    whole = np.rint(levels)
    if np.abs(levels - whole).max(initial=0) < HAIR / 10:
        return Change(whole.astype(np.int16), 1.0, p, radius)
    unit = 32_000 / float(np.abs(levels).max())
    return Change(np.rint(levels * unit).astype(np.int16), unit, p, radius)


def noise_of(side: int, p: str, radius: float) -> Change:
    """Random signs (side,side,3) of the same norm, the same ones every time; at radius 0 they count for nothing."""
    signs = _signs(side)
    if not radius:
        return Change(signs, 1.0, p, radius)
    return Change(signs, 1 / (radius if p == LINF else radius / math.sqrt(signs.size)), p, radius)


@cache
def _signs(side: int) -> np.ndarray:
    """Kept for each size of pictures, of which there are few; not for each radius, which visitors choose."""
    return np.random.default_rng(0).integers(0, 2, (side, side, 3), dtype=np.int16) * 2 - 1


def times_larger(card: Card) -> int:
    """How many times as large as what the network takes its pictures are shown: 1 for networks of 224 pixels."""
    return max(1, SHOWN_SIDE // card.input_size) if card.input_size < SHOWN_SIDE // 2 else 1


def shown_square(picture: Image.Image, card: Card) -> np.ndarray:
    """The photograph as it is shown, uint8 (S,S,3): as the network takes it, or in full resolution for a small network."""
    times = times_larger(card)
    return np.asarray(square(picture, card.resize_size * times, card.input_size * times, card.interpolation))


def picture_at(photo: np.ndarray, change: Change, strength: float) -> np.ndarray:
    """The 8-bit picture clip(x + v) of a photograph uint8 (S,S,3), v enlarged to its size by repeating pixels.

    Like ``quantise``: what rounding would carry out of the ball is rounded towards the photograph.
    """
    times = photo.shape[0] // change.values.shape[0]
    start = photo.astype(np.float64)
    steps = np.clip(start + change.at(strength).repeat(times, 0).repeat(times, 1), 0, 255) - start
    rounded = np.floor(start + steps + 0.5) - start
    inwards = np.sign(steps) * np.floor(np.abs(steps) + HAIR)
    if change.p == LINF:
        rounded = np.where(np.abs(rounded) <= strength + HAIR, rounded, inwards)
    elif math.sqrt(float((rounded**2).sum())) > strength * times + HAIR:
        rounded = inwards
    return (start + rounded).astype(np.uint8)


def as_taken(picture: np.ndarray, card: Card) -> np.ndarray:
    """What the network gets of a picture that is shown: a saved 8-bit picture, shrunken as any photograph is."""
    if picture.shape[0] == card.input_size:
        return picture
    size = (card.input_size, card.input_size)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling[card.interpolation.upper()]))


def answers(classifier: Classifier, pictures: Iterable[np.ndarray]) -> Iterator[Answer]:
    """What the network says of each shown picture uint8 (S,S,3), in batches: closing the iterator stops it."""
    import torch

    waiting: list[np.ndarray] = []
    for picture in pictures:
        waiting.append(as_taken(picture, classifier.card))
        if len(waiting) == BATCH:
            yield from _answered(classifier, torch.from_numpy(np.stack(waiting)))
            waiting = []
    if waiting:
        yield from _answered(classifier, torch.from_numpy(np.stack(waiting)))


def _answered(classifier: Classifier, pixels: object) -> Iterator[Answer]:
    import torch

    assert isinstance(pixels, torch.Tensor)
    with torch.inference_mode():
        sure, index = classifier(from_bytes(pixels.permute(0, 3, 1, 2))).softmax(dim=1).max(dim=1)
    for i, probability in zip(index.tolist(), sure.tolist(), strict=True):
        yield Answer(i, classifier.labels[i], probability)


def exhibit_of(classifier: Classifier, photo: np.ndarray, picture: np.ndarray) -> Exhibit:
    """The two shown pictures side by side in numbers: the five likeliest labels, norms of the change, PSNR and SSIM."""
    import torch

    from uap_core.experiments.apply import Exhibit, top
    from uap_core.metrics import psnr, ssim

    pixels = torch.from_numpy(np.stack([as_taken(one, classifier.card) for one in (photo, picture)]))
    with torch.inference_mode():
        before, after = classifier(from_bytes(pixels.permute(0, 3, 1, 2))).softmax(dim=1)
    moved = of_levels(picture.astype(np.float64) - photo)
    return Exhibit(
        photo,
        picture,
        top(classifier, before),
        top(classifier, after),
        float(np.abs(moved).max()),
        float(np.sqrt((moved**2).sum())),
        psnr(photo, picture),
        ssim(photo, picture),
    )
