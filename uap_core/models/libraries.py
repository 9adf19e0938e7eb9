"""torchvision and timm, imported when first needed, and ImageNet's classes as they name them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import torch

from uap_core.errors import ModelError
from uap_core.texts import _

WNIDS = Path(__file__).parent / "imagenet_wnids.txt"  # WordNet ids of ImageNet's classes, in the networks' output order


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
        raise ModelError(_("This network needs the package timm: pip install timm.")) from error


def imagenet_classes() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and WordNet ids of ImageNet's 1000 classes, in the order of the networks' outputs."""
    tv_models = import_torchvision().models
    labels = tv_models.get_model_weights("squeezenet1_1").DEFAULT.meta["categories"]
    return tuple(labels), tuple(WNIDS.read_text(encoding="utf-8").split())
