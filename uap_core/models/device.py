"""Where networks compute: on the processor unless UAP_DEVICE names something else, like ``cuda``.

Only networks are moved. A classifier takes pictures from any device and returns its logits there, so that no other code depends
on the device; crafting keeps the pattern with the networks.
"""

from __future__ import annotations

import itertools
import os

import torch
from torch import nn

from uap_core.errors import SettingError

DEVICE_VARIABLE = "UAP_DEVICE"


def chosen_device() -> torch.device:
    """The device that UAP_DEVICE names. Raises SettingError for one that torch does not know or cannot reach here.

    Of several processes that torchrun started, each takes the card of its own number. On CUDA, convolutions are held to 32 bits
    and to deterministic results, as on a CPU.
    """
    named = os.environ.get(DEVICE_VARIABLE, "") or "cpu"
    named = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if named == "cuda" else named
    try:
        device = torch.device(named)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for CUDA
        raise SettingError(
            f"{DEVICE_VARIABLE} names {named!r}, but this torch cannot compute there. Unset it to use the processor."
        ) from error
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic = False, True
    return device


def device_of(network: nn.Module) -> torch.device:
    """Where a network computes; one without weights computes on the processor."""
    weights = itertools.chain(network.parameters(), network.buffers())
    return next((tensor.device for tensor in weights), torch.device("cpu"))


def device_name() -> str:
    """What a provenance record calls the chosen device: ``cpu``, or a graphics card by its maker's name."""
    device = chosen_device()
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
