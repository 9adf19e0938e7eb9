"""Sixteen bits where the processor has instructions for them: elsewhere they are emulated, some ten times slower than 32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def has_fast_bf16() -> bool:
    """Whether this processor has bfloat16 instructions, according to torch."""
    capabilities: Callable[[], dict[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)  # not in older versions
    found = capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def sixteen_bits(device: str = "cpu", wanted: bool = True) -> torch.autocast:
    """A context in which networks compute in bfloat16 if that is ``wanted`` and fast on ``device``, else in float32."""
    return torch.autocast(device, torch.bfloat16, enabled=wanted and (device != "cpu" or has_fast_bf16()))
