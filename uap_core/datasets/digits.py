"""Handwritten-looking digits of 28x28 pixels, drawn from the fonts that Matplotlib carries: any number, for any seed, offline.

Each is one digit of one of sixteen faces, turned, scaled, sheared, shifted and bent a little. They stand in for MNIST.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import SettingError
from uap_core.images.eight_bits import to_bytes
from uap_core.norms import LEVELS

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SIDE = 28
CLASSES = tuple("0123456789")
FACES = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "STIXGeneralBolIta",
    "cmr10",
    "cmss10",
    "cmtt10",
    "cmb10",
)
FINER = 3  # a glyph is drawn so many times larger
SIZE = 72  # of the type, in the larger picture's pixels
BLOCK = 500  # drawn together
# The mild deformations: radians, factors, shares of half the side. Stronger ones leave a single layer too little to learn.
TURN, SCALE, SHEAR, SHIFT, BEND, FAINTEST = 0.15, 0.15, 0.2, 0.06, 0.05, 0.7


def draw(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw ``count`` digits: images float32 (count,1,28,28), 0 for the ground to 1 for ink, and what they are, int64 (count,).

    The first images of a longer draw are those of a shorter one of the same ``seed``. Raises SettingError for less than one.

    Example:
        >>> from uap_core.datasets.digits import draw
        >>> images, labels = draw(3, seed=0)
        >>> tuple(images.shape), labels.dtype
        ((3, 1, 28, 28), torch.int64)
    """
    import torch

    if count < 1:
        raise SettingError(f"At least one digit must be drawn, not {count}.")
    generator = torch.Generator().manual_seed(seed)
    blocks = list(_blocks(count, generator))
    return torch.cat([images for images, _ in blocks]), torch.cat([labels for _, labels in blocks])


def digit_set(count: int, seed: int) -> ImageSet:
    """The digits of ``draw`` as a set of grey pictures, uint8 (count,3,28,28), in the classes "0" to "9"."""
    images, labels = draw(count, seed)
    return ImageSet(
        name=f"drawn digits (seed {seed})",
        pixels=to_bytes(images).expand(-1, 3, -1, -1).contiguous(),
        classes=tuple(CLASSES[label] for label in labels.tolist()),
        files=tuple(f"{seed}-{number}" for number in range(count)),
    )


def _blocks(count: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Images and labels, BLOCK at a time. Chance is drawn for whole blocks, so that a shorter draw begins alike."""
    import torch
    from torch.nn import functional as F

    glyphs = _glyphs()
    for start in range(0, count, BLOCK):
        kept = min(BLOCK, count - start)
        labels = torch.randint(len(CLASSES), (BLOCK,), generator=generator)[:kept]
        faces = torch.randint(len(FACES), (BLOCK,), generator=generator)[:kept]
        where = _places(generator)[:kept]
        ink = torch.rand(BLOCK, generator=generator)[:kept, None, None, None] * (1 - FAINTEST) + FAINTEST
        images = F.grid_sample(glyphs[labels, faces][:, None], where, align_corners=False)
        yield (images * ink).clamp(0, 1), labels


def _places(generator: torch.Generator) -> Tensor:
    """Where each pixel of BLOCK images looks into its glyph, (BLOCK,28,28,2) from -1 to 1: an affine map and a smooth bend."""
    import torch
    from torch.nn import functional as F

    def within(size: float, middle: float = 0.0) -> Tensor:
        return middle + size * (2 * torch.rand(BLOCK, generator=generator) - 1)

    angle, wide, high = within(TURN), within(SCALE, 1.0), within(SCALE, 1.0)
    shear, right, down = within(SHEAR), within(SHIFT), within(SHIFT)
    cos, sin = angle.cos(), angle.sin()
    first = torch.stack([cos / wide, (sin + shear * cos) / wide, right], 1)
    second = torch.stack([-sin / high, (cos - shear * sin) / high, down], 1)
    straight = F.affine_grid(torch.stack([first, second], 1), [BLOCK, 1, SIDE, SIDE], align_corners=False)
    coarse = BEND * torch.randn(BLOCK, 2, 4, 4, generator=generator)
    bend = F.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic", align_corners=True)
    return straight + bend.permute(0, 2, 3, 1)


@cache
def _glyphs() -> Tensor:
    """All digits in all faces, float32 (10,16,84,84) in [0,1], softened so that every third pixel tells of its neighbours."""
    import matplotlib
    import numpy as np
    import torch
    from PIL import Image, ImageDraw, ImageFont
    from torch.nn import functional as F

    fonts, side = Path(matplotlib.get_data_path()) / "fonts" / "ttf", FINER * SIDE

    def glyph(digit: str, face: str) -> np.ndarray:
        font, picture = ImageFont.truetype(str(fonts / f"{face}.ttf"), SIZE), Image.new("L", (side, side))
        ImageDraw.Draw(picture).text((side / 2, side / 2), digit, font=font, fill=LEVELS, anchor="mm")
        return np.asarray(picture, dtype=np.float32) / LEVELS

    sharp = torch.tensor(np.stack([[glyph(digit, face) for face in FACES] for digit in CLASSES]))
    return F.avg_pool2d(sharp, FINER, stride=1, padding=FINER // 2)
