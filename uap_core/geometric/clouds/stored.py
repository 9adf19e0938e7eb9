"""What ships for clouds: the trained PointNet, and universal changes of several sizes."""

from __future__ import annotations

from functools import lru_cache

from torch import Tensor

from uap_core.geometric.clouds.pointnet import PointNet, load_pointnet
from uap_core.io.paths import GEOMETRIC

NET_FILE, CHANGES_FILE = "pointnet.safetensors", "cloud-changes.safetensors"


@lru_cache(maxsize=1)
def stored_net() -> PointNet:
    """The trained PointNet as it ships."""
    return load_pointnet(GEOMETRIC / NET_FILE)


@lru_cache(maxsize=1)
def stored_changes() -> dict[tuple[str, float], Tensor]:
    """The universal changes as they ship, by kind and size."""
    from safetensors.torch import load_file

    found = load_file(GEOMETRIC / CHANGES_FILE)
    return {(name.partition(" ")[0], float(name.partition(" ")[2])): value for name, value in found.items()}
