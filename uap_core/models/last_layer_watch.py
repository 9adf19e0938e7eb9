"""A network run once with all its layers in view, and again with a few of them: of modules and of exported programs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Interpreter, Node

from uap_core.errors import SettingError
from uap_core.models.features import copy_sharing_weights

# The operations of exported programs that have weights: which of their inputs is read, which are weight and bias.
WEIGHTED = {"linear": (0, 1, 2), "conv2d": (0, 1, 2), "convolution": (0, 1, 2), "addmm": (1, 2, 0), "mm": (0, 1, None)}
TURNED = ("addmm", "mm")  # whose weights stand the other way round


@dataclass(frozen=True)
class Call:
    """One layer's turn, the ``place``-th: the ``value`` that it gave; of a layer of weights those, and what it ``read``."""

    place: int
    value: Tensor
    read: Tensor | None = None
    weight: Tensor | None = None
    bias: Tensor | None = None


@dataclass
class Found:
    """Of a second run: values and readings by the places that were asked for, and the logits."""

    values: dict[int, Tensor] = field(default_factory=dict)
    read: dict[int, Tensor] = field(default_factory=dict)
    logits: Tensor = field(default_factory=lambda: torch.empty(0))


@dataclass(frozen=True)
class Watched:
    """A run with everything in view: its ``calls`` in order, its ``logits``, and ``again(images, places)``."""

    calls: list[Call]
    logits: Tensor
    again: Callable[[Tensor, Collection[int]], Found]


def watched(network: nn.Module, probe: Tensor) -> Watched:
    """Run ``network`` on a ``probe`` (n,3,H,W) and keep what each layer gave. Raises SettingError for odd outputs."""
    made = _of_graph(network, probe) if isinstance(network, GraphModule) else _of_modules(network, probe)
    if not isinstance(made.logits, Tensor) or made.logits.ndim != 2:
        raise SettingError("This network does not give one score for each class of a picture.")
    return made


def _of_modules(network: nn.Module, probe: Tensor) -> Watched:
    # A copy that shares the weights: hooks on the network itself would affect other users of it.
    network = copy_sharing_weights(network)
    for part in network.modules():
        part.training = False  # a wrapped module may be in training
    run = _Hooks()
    for module in network.modules():
        module.register_forward_hook(run.heard)
    calls, logits = run.of(network, probe, None)

    def again(images: Tensor, places: Collection[int]) -> Found:
        heard, scores = run.of(network, images, places)
        if {call.place for call in heard} != set(places):
            raise SettingError("This network does not compute the same layers every time.")
        values = {call.place: call.value for call in heard}
        return Found(values, {call.place: call.read for call in heard if call.read is not None}, scores)

    return Watched(calls, logits, again)


class _Hooks(threading.local):
    """What the modules say, to whoever runs them: each thread hears its own run."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.wanted: Collection[int] | None = None
        self.count = 0

    def of(self, network: nn.Module, images: Tensor, wanted: Collection[int] | None) -> tuple[list[Call], Tensor]:
        self.calls, self.wanted, self.count = [], wanted, 0
        try:
            logits: Tensor = network(images)
            return self.calls, logits
        finally:
            self.calls = []

    def heard(self, module: nn.Module, inputs: tuple[Any, ...], value: Any) -> None:
        self.count += 1
        if not isinstance(value, Tensor) or (self.wanted is not None and self.count not in self.wanted):
            return
        read = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
        plain = isinstance(module, (nn.Linear, nn.Conv2d)) and read is not None
        weights = (module.weight, module.bias) if plain else (None, None)
        self.calls.append(Call(self.count, value, read if plain else None, *weights))


def _of_graph(network: GraphModule, probe: Tensor) -> Watched:
    run = _Operations(network, None)
    logits = run.run(probe)

    def again(images: Tensor, places: Collection[int]) -> Found:
        heard = _Operations(network, places)
        scores = heard.run(images)
        values = {call.place: call.value for call in heard.calls}
        return Found(values, {call.place: call.read for call in heard.calls if call.read is not None}, scores)

    return Watched(run.calls, logits, again)


class _Operations(Interpreter):
    """Runs an exported program one operation after the other."""

    def __init__(self, network: GraphModule, wanted: Collection[int] | None) -> None:
        super().__init__(network)
        self.calls: list[Call] = []
        self.wanted, self.count = wanted, 0

    def run_node(self, n: Node) -> Any:
        value = super().run_node(n)
        if n.op != "call_function" or not isinstance(value, Tensor):
            return value
        self.count += 1
        if self.wanted is None or self.count in self.wanted:
            self.calls.append(self._call(n, value))
        return value

    def _call(self, n: Node, value: Tensor) -> Call:
        name = str(getattr(n.target, "_opname", "") or getattr(n.target, "__name__", "")).split(".")[0]
        if name not in WEIGHTED:
            return Call(self.count, value)
        arguments, _words = self.fetch_args_kwargs_from_env(n)
        read, weight, bias = (
            arguments[place] if place is not None and place < len(arguments) else None for place in WEIGHTED[name]
        )
        if name in TURNED and weight is not None:
            weight = weight.t()
        return Call(self.count, value, read, weight, bias)
