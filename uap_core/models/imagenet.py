"""ImageNet's 1000 classes in the order of networks' outputs, from tables that tests hold to torchvision's. Without torch."""

from __future__ import annotations

from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


@cache
def imagenet_classes() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names, two of which stand for two classes each, and WordNet ids."""
    names, wnids = ((HERE / f"imagenet_{what}.txt").read_text(encoding="utf-8").splitlines() for what in ("names", "wnids"))
    return tuple(names), tuple(wnids)
