"""Numbers too small for a normal float, which processors compute with slowly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def no_denormals() -> Iterator[None]:
    """Flush denormal numbers to zero inside the context: they are slow. The mode is that of the whole thread."""
    already = not (torch.tensor(1e-40) * 0.5).any()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)
