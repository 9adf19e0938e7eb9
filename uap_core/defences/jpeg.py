"""JPEG by the codec, and a differentiable approximation for gradients.

The codec turns colours into one plane of brightness and two of colour, halves the resolution of those two (4:2:0), and writes
each plane as 8 x 8 blocks of cosine coefficients, divided by a table of steps and rounded. Rounding alone is not smooth. For
the gradient it becomes c -> [c] + (c - [c])^3 (Shin and Song, 2017): flat where rounding removes a small change, steep where
a coefficient is about to tip over.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from uap_core.images.eight_bits import from_bytes, to_bytes
from uap_core.norms import of_levels, to_levels

BLOCK, UNIT = 8, 16  # pixels a side of a block, and of the area that one block of a halved plane covers
# From red, green and blue to brightness, blue and red differences (JFIF), and the one-dimensional cosine transform of a block.
TO_PLANES = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
COSINES = [
    [math.sqrt((1 if k == 0 else 2) / BLOCK) * math.cos((2 * n + 1) * k * math.pi / (2 * BLOCK)) for n in range(BLOCK)]
    for k in range(BLOCK)
]


def through_codec(images: Tensor, quality: int) -> Tensor:
    """Images float32 (N,3,H,W) in [0,1] written and read again by Pillow, with 4:2:0 as it has by default; no gradient."""
    if not len(images):
        return images.clone()
    levels = to_bytes(images.detach()).permute(0, 2, 3, 1).cpu().numpy()
    decoded = np.stack([np.asarray(Image.open(_written(Image.fromarray(picture), quality))) for picture in levels])
    return from_bytes(torch.from_numpy(decoded.transpose(0, 3, 1, 2)).to(images.device))


def smooth_codec(images: Tensor, quality: int) -> Tensor:
    """Differentiable approximation of ``through_codec``: the same steps with smooth rounding."""
    height, width = images.shape[2:]
    tables, to_planes = _tables(quality), images.new_tensor(TO_PLANES)
    whole = F.pad(to_levels(images), (0, -width % UNIT, 0, -height % UNIT), mode="replicate")
    bright, colours = torch.einsum("ij,njhw->nihw", to_planes, whole).split((1, 2), dim=1)
    bright = _quantised(bright - 128, tables[0]) + 128
    halved = _quantised(F.avg_pool2d(colours, 2), tables[1])
    colours = F.interpolate(halved, scale_factor=2, mode="bilinear", align_corners=False)
    decoded = torch.einsum("ij,njhw->nihw", to_planes.inverse(), torch.cat([bright, colours], dim=1))
    return of_levels(decoded[..., :height, :width]).clamp(0, 1)


def _quantised(planes: Tensor, table: tuple[tuple[int, ...], ...]) -> Tensor:
    """Planes (N,P,H,W), each block's coefficients in steps of ``table``, rounded and put together again."""
    height, width = planes.shape[2:]
    cosines, steps = planes.new_tensor(COSINES), planes.new_tensor(table)
    blocks = planes.unflatten(3, (width // BLOCK, BLOCK)).unflatten(2, (height // BLOCK, BLOCK)).transpose(3, 4)
    coefficients = cosines @ blocks @ cosines.T / steps
    rounded = coefficients.detach().round()
    smooth = rounded + (coefficients - rounded) ** 3
    return (cosines.T @ (smooth * steps) @ cosines).transpose(3, 4).flatten(4, 5).flatten(2, 3)


@lru_cache
def _tables(quality: int) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """The codec's own steps for brightness and for colours, 8 rows of 8 each, as it states them in a file."""
    stated = Image.open(_written(Image.new("RGB", (UNIT, UNIT)), quality)).quantization  # type: ignore[attr-defined]
    return tuple(tuple(tuple(stated[i][row : row + BLOCK]) for row in range(0, BLOCK**2, BLOCK)) for i in (0, 1))


def _written(picture: Image.Image, quality: int) -> io.BytesIO:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream
