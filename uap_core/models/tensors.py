"""A file of weights as named tensors. Nothing that could run code is ever unpickled."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from uap_core.models.caffe_squeezenet import read_caffe

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params", "model_state")
SEVERAL_DEVICES = "module."


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, of torch's .pth, or of the Caffe SqueezeNet's .pkl (whose hash the caller checked).

    Raises what safetensors and torch raise, or pickle.UnpicklingError, for any other file.
    """
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return state_dict(load_file(path))
    if path.suffix == ".pkl":
        return read_caffe(path)
    return state_dict(torch.load(path, weights_only=True, map_location="cpu"))


def state_dict(held: object) -> dict[str, Tensor]:
    """The weights in what torch.load gave: bare, or under one of the usual names; without "module.",
    which training on several devices puts before every name; floats of 16 and 64 bits as 32-bit ones.

    Raises ValueError when there are no tensors by name.
    """
    while isinstance(held, dict) and not any(isinstance(value, Tensor) for value in held.values()):
        inner = next((held[name] for name in WRAPPERS if isinstance(held.get(name), dict)), None)
        if inner is None:
            raise ValueError("no tensors by name")
        held = inner
    if not isinstance(held, dict):
        raise ValueError("no tensors by name")
    tensors = {str(name): value for name, value in held.items() if isinstance(value, Tensor)}
    if all(name.startswith(SEVERAL_DEVICES) for name in tensors):
        tensors = {name.removeprefix(SEVERAL_DEVICES): value for name, value in tensors.items()}
    return {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
