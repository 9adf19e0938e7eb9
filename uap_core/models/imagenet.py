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


@cache
def parents() -> dict[str, str]:
    """The WordNet id of each class's parent (its first direct hypernym in WordNet 3.0), by the id of the class.

    WordNet 3.0 Copyright 2006 by Princeton University; its licence lets anybody use and pass on the data.
    """
    above = (HERE / "imagenet_parents.txt").read_text(encoding="utf-8").splitlines()
    return dict(zip(imagenet_classes()[1], above, strict=True))
