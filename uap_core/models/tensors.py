"""A file of weights as named tensors. Nothing that could run code is ever unpickled."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from uap_core.models.caffe_squeezenet import read_caffe


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, of torch's .pth, or of the Caffe SqueezeNet's .pkl (whose hash the caller checked).

    Raises what safetensors and torch raise, or pickle.UnpicklingError, for a file that is none.
    """
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    if path.suffix == ".pkl":
        return read_caffe(path)
    found: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
    return found
