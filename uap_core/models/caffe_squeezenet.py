"""SqueezeNet 1.1's original Caffe weights, as the package ndf carries them, in torchvision's layout.

The file is a pickle, {layer: [kernel (h,w,in,out), bias]}. Two locks are on it: its SHA-256 is checked by whoever loads a
card, and the reader below admits NumPy arrays alone, so that a file of another hash could not run code either.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from uap_core.models.card import IMAGENET_MEAN, IMAGENET_STD
from uap_core.norms import LEVELS

ADMITTED = {("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}
CAFFE_MEAN = (123.0, 117.0, 104.0)  # red, green, blue, of 255
# Where torchvision's Sequential has Caffe's fire2 to fire9.
FIRES = dict(zip(range(2, 10), (3, 4, 6, 7, 9, 10, 11, 12), strict=True))
PARTS = {"squeeze1x1": "squeeze", "expand1x1": "expand1x1", "expand3x3": "expand3x3"}


class _ArraysAlone(pickle.Unpickler):
    """Admits what NumPy needs to rebuild an array of numbers, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"{module}.{name} is not part of an array")
        renamed = module.replace("numpy.core", "numpy._core") if hasattr(np, "_core") else module
        return super().find_class(renamed, name)


def read_caffe(path: Path) -> dict[str, Tensor]:
    """The state dict of torchvision's squeezenet1_1. Raises pickle.UnpicklingError, KeyError or ValueError for other files."""
    layers = _ArraysAlone(io.BytesIO(path.read_bytes())).load()
    found = _convolution("classifier.1", layers["conv10"])
    for fire, place in FIRES.items():
        for theirs, ours in PARTS.items():
            found |= _convolution(f"features.{place}.{ours}", layers[f"fire{fire}/{theirs}"])
    return _first_layer(layers["conv1"]) | found


def _convolution(name: str, layer: list[np.ndarray]) -> dict[str, Tensor]:
    kernel, bias = (torch.from_numpy(np.asarray(array, dtype=np.float32)) for array in layer)
    return {f"{name}.weight": kernel.permute(3, 2, 0, 1).contiguous(), f"{name}.bias": bias}


def _first_layer(layer: list[np.ndarray]) -> dict[str, Tensor]:
    """From blue, green, red of 255 less Caffe's mean to torchvision's (x - mean) / std. Exact, since nothing is padded."""
    raw = _convolution("features.0", layer)
    kernel = raw["features.0.weight"].flip(1) * LEVELS
    shift = torch.tensor(IMAGENET_MEAN) - torch.tensor(CAFFE_MEAN) / LEVELS
    bias = raw["features.0.bias"] + (kernel * shift.view(1, 3, 1, 1)).sum((1, 2, 3))
    return {"features.0.weight": kernel * torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), "features.0.bias": bias}
