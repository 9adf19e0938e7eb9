"""torchvision and timm, imported when first needed."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

from uap_core.errors import ModelError


def import_torchvision() -> ModuleType:
    """torchvision, also when its compiled operators want CUDA libraries that a CPU build of torch does not bring.

    Classification needs none of those operators; declaring the two missing names is enough for the import.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # the half-made import
    torch.library.define("torchvision::nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    torch.library.define("torchvision::qnms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("torchvision")


def import_timm() -> ModuleType:
    """timm, which needs torchvision. Raises ModelError when it is not installed."""
    import_torchvision()
    try:
        return importlib.import_module("timm")
    except ImportError as error:
        raise ModelError("This network needs the package timm: pip install timm.") from error
