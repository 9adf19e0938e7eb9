"""How far a whole network can move what it says: the bounds of its layers, composed from the picture to the logits.

Through layers in a row bounds multiply; where branches are added they add, where branches are put side by side they add in
squares. All is measured on [0,1] pixels, so the normalisation that a network begins with is a layer too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from uap_core.bounds.layers import Convolution
from uap_core.bounds.operations import KIND_NAMES, RULES, Part
from uap_core.bounds.trace import Operation, Signal, record

COMBINED: dict[str, tuple[str, Callable[[list[float]], float]]] = {
    "add": ("sum", sum),
    "sub": ("sum", sum),
    "rsub": ("sum", sum),
    "cat": ("concatenation", lambda bounds: math.hypot(*bounds)),
    "stack": ("concatenation", lambda bounds: math.hypot(*bounds)),
    # What may be written into a part of a tensor stretches nothing, or is unbounded (``_part``).
    "overwritten": ("", max),
}

UNKNOWN, TWO_WAYS = "unknown", "two_ways"  # no rule for an operation, or one on two things that depend on the picture


class NamedLayer:
    """Display texts of a layer with a ``name``, ``number``, ``kind`` and ``note`` (see ``Layer``)."""

    name: str
    number: int
    kind: str
    note: str

    @property
    def label(self) -> str:
        """Display name of the layer: the name of its weights, else its kind and number."""
        return self.name or f"{self.kind_name} {self.number}"

    @property
    def kind_name(self) -> str:
        """Display name of its kind."""
        return KIND_NAMES.get(self.kind, self.kind)

    @property
    def reason(self) -> str:
        """Why no bound is known, in a sentence; empty where one is."""
        if self.note == TWO_WAYS:
            return f"No bound is known: {self.kind} takes two things that depend on the picture."
        if self.note:
            return f"No bound is known for the operation {self.kind!r}."
        return ""


@dataclass(frozen=True)
class Layer(NamedLayer):
    """One layer: its own ``bound``, None where branches meet, and that of the network up to here, ``running``.

    Both are infinite where no bound is known; ``note`` then says why: UNKNOWN or TWO_WAYS. ``shape`` is that of the weights,
    ``name`` theirs, empty where there are none; ``number`` counts the layers of a ``kind``, which is one of KIND_NAMES or an
    operation of torch.
    """

    name: str
    number: int
    kind: str
    shape: str
    stride: str
    bound: float | None
    running: float
    note: str = ""
    convolution: Convolution | None = None


def layers(network: nn.Module, side: int) -> Iterator[Layer]:
    """Every layer that can stretch a change of a picture (3,side,side), as soon as its bound is known; then the logits.

    ``network`` takes [0,1] pixels. The last layer's ``running`` is the bound of the network. Raises ModelError when the
    network cannot be followed.
    """
    tape, names = record(network, torch.zeros(1, 3, side, side)), _names(network)
    running, count = {tape.picture: 1.0}, dict[str, int]()
    for operation in tape.operations:
        before = [_times(running[signal.source], _spread(operation, signal)) for signal in operation.signals]
        if operation.name in COMBINED and not operation.shared:
            kind, combine = COMBINED[operation.name]
            bound, part, note = None, Part(1.0, kind if len(before) > 1 else ""), ""
            running[operation] = combine(before) * max(1.0, abs(operation.values.get("alpha", 1)))
        else:
            part, note = _part(operation)
            bound, running[operation] = part.factor, _times(part.factor, max(before))
        if part.kind:
            count[part.kind] = count.get(part.kind, 0) + 1
            name, shape = _described(part.weight, names)
            number = count[part.kind]
            yield Layer(name, number, part.kind, shape, part.stride, bound, running[operation], note, part.convolution)
    yield Layer("logits", 1, "whole", "", "", None, running[tape.result])


def _part(operation: Operation) -> tuple[Part, str]:
    """The part of an operation that no branches meet in, or an infinite one and why."""
    rule = RULES.get(operation.name)
    part = rule(operation) if rule and len(operation.signals) == 1 else None
    if part is not None and not (operation.shared and part.kind):
        return part, ""
    two_ways = operation.name in ("mul", "div", "mm", "bmm") and len(operation.signals) > 1
    return Part(math.inf, operation.name), TWO_WAYS if two_ways else UNKNOWN


def _described(weight: Tensor | None, names: dict[int, str]) -> tuple[str, str]:
    """Name and shape of a layer's weights, where it has some."""
    return ("", "") if weight is None else (names.get(weight.data_ptr(), ""), " x ".join(map(str, weight.shape)))


def _times(factor: float, bound: float) -> float:
    """The product, with 0 times infinity as 0: after a constant layer nothing depends on the picture."""
    return factor * bound if factor and bound else 0.0


def _spread(operation: Operation, signal: Signal) -> float:
    """The growth by broadcasting: n copies of a change are sqrt(n) times as long."""
    if operation.name not in ("add", "sub", "rsub", "mul", "div"):
        return 1.0
    return math.sqrt(math.prod(operation.shape) / math.prod(signal.shape))


def _names(network: nn.Module) -> dict[int, str]:
    """Names of layers by the memory address of their weights, without the index of our wrapper."""
    tensors = (*network.named_parameters(), *network.named_buffers())
    return {tensor.data_ptr(): re.sub(r"^\d+\.", "", re.sub(r"[._]weight$", "", name)) for name, tensor in tensors}
