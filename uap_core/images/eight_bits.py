"""8-bit pictures and pixels from 0 to 1: the two directions, without a question (``batches.as_bytes`` asks)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uap_core.norms import LEVELS

if TYPE_CHECKING:
    from torch import Tensor


def from_bytes(pixels: Tensor) -> Tensor:
    """Whole levels, uint8 or signed, as float32 in units of [0,1]."""
    return pixels.float() / LEVELS


def to_bytes(x: Tensor) -> Tensor:
    """Pixels in [0,1] as uint8, each the nearest of 256 levels."""
    return (x * LEVELS).round().byte()
