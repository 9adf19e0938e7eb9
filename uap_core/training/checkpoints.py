"""A training's state in one file: written whole or not at all, and read back only by the training that wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from uap_core.errors import SettingError
from uap_core.io.atomic import whole_file


def save_training(path: Path, told: dict[str, Any], parts: dict[str, Any], generator: torch.Generator) -> None:
    """Write the ``parts`` (modules and optimisers), where the ``generator`` stands, and ``told``: settings and counters."""
    state = {name: part.state_dict() for name, part in parts.items()}
    with whole_file(path) as out:
        torch.save({**state, "generator": generator.get_state(), "told": told}, out)


def read_state(path: Path, *needed: str) -> dict[str, Any]:
    """What a file of a training's state holds. Raises SettingError for one that holds something else."""
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except Exception:  # torch raises many kinds for what it did not write
        state = None
    if not isinstance(state, dict) or not set(needed) <= set(state):
        raise SettingError(f"{path.name!r} is not the state of such a training. Choose another file, or move it away.")
    return state


def load_training(path: Path, settings: dict[str, Any], parts: dict[str, Any], generator: torch.Generator) -> int:
    """Put what ``save_training`` wrote back into ``parts``; the steps that were done, 0 without a file.

    Raises SettingError for the file of another training.
    """
    if not path.exists():
        return 0
    state = read_state(path, "told", "generator", *parts)
    if {name: state["told"].get(name) for name in settings} != settings:
        raise SettingError(f"{path.name!r} holds another training. Choose another file, or delete it to start again.")
    for name, part in parts.items():
        part.load_state_dict(state[name])
    generator.set_state(state["generator"])
    return int(state["told"]["step"])


def all_finite(module: nn.Module) -> bool:
    """Whether every weight is a number: a training whose rates are too high leaves none."""
    return all(bool(value.isfinite().all()) for value in module.state_dict().values())
