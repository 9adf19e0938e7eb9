"""What generators are measured on, and what their tables state of it.

Settings were chosen on the first held-out photographs of the many that ResNet-64 has, or on photographs to craft on; figures
come from the next ones. There are 300 of EfficientNet-Lite0's in all: they are all measured, and settings were chosen without
them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from uap_core.experiments.generator_draws import Sight
from uap_core.identity import settings
from uap_core.io.paths import GENERATORS
from uap_core.perturbations.perturbation import versions
from uap_core.precompute.generators import GeneratorRecipe
from uap_core.precompute.materials import Materials, provenance_of

CHOSEN = 200  # photographs that settings were chosen on
CHOSEN_ON, NEW = "the first ones, on which settings were chosen", "the next ones"


def sight_of(materials: Materials, key: str, count: int, first: int = CHOSEN) -> Sight:
    """A network and held-out images that no generator saw: all, or of many ``count`` from the ``first``."""
    found = materials.held_out(key)
    if len(found) >= first + count:
        found = found.shuffled(torch.Generator().manual_seed(0)).subset(torch.arange(first, first + count))
    return Sight.on(materials.network(key), found.pixels)


def told_of(materials: Materials, keys: Sequence[str], count: int, which: str = NEW) -> dict[str, Any]:
    """What a table states: networks of one size, images (``count`` of many, ``which``), versions."""
    found = materials.held_out(keys[0])
    part = {"held_out": f"{count} images of {found.name}", "photographs": which} if len(found) >= CHOSEN + count else {}
    return provenance_of(materials, keys) | versions() | part


def made_by(recipe: GeneratorRecipe) -> dict[str, Any]:
    """What a table of one generator is of: its settings, and the sum of the file that ships."""
    return {"generator": {"file": recipe.file, "settings": settings(recipe.method), "sha256": sum_of(shipped(recipe))}}


def shipped(recipe: GeneratorRecipe) -> Path:
    """The file that ships."""
    return GENERATORS / f"{recipe.file}.safetensors"


def sum_of(path: Path) -> str:
    """The SHA-256 of a file; empty where it is missing."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
