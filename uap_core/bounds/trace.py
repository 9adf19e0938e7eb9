"""What a network does to a picture, as a list of torch's elementary operations: the same few for every kind of network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from uap_core.errors import ModelError


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation that depends on the picture, by its name in aten ("convolution", "relu").

    ``values`` are its arguments by name, defaults filled in; a tensor that depends on the picture is replaced by the Signal
    that it carries. ``shape`` is that of its (first) result. ``shared`` says that it overwrote a tensor of which there are
    other views; each of these is then the result of an operation "overwritten", of what it was and of what was written.
    ``users`` are the operations that take its results.
    """

    name: str
    values: dict[str, Any]
    shape: tuple[int, ...]
    shared: bool = False
    users: list[Operation] = field(default_factory=list)

    @property
    def signals(self) -> list[Signal]:
        """What it takes that depends on the picture."""
        return [leaf for leaf in tree_leaves(self.values) if isinstance(leaf, Signal)]

    @property
    def constant(self) -> Any:
        """The operand of a sum, product or power that does not depend on the picture, where one does and one does not."""
        operands = (self.values[name] for name in ("other", "exponent", "self") if name in self.values)
        return next(operand for operand in operands if not isinstance(operand, Signal))


@dataclass(frozen=True)
class Signal:
    """A result of ``source``, with its shape."""

    source: Operation
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Tape:
    """All operations in their order, from the ``picture`` to the ``result``."""

    picture: Operation
    operations: list[Operation]
    result: Operation


def record(network: nn.Module, picture: Tensor) -> Tape:
    """Run ``network`` on ``picture`` (1,3,S,S) once and write down what it does. Only that path is recorded.

    Raises ModelError when the network writes into a tensor in a way that cannot be followed, or looks at its own numbers.
    """
    recorder = _Recorder(picture)
    # Without inference mode, in which layers arrive whole and under many names.
    with torch.inference_mode(False), torch.no_grad(), recorder:
        result = network(picture)
    return Tape(recorder.picture, recorder.operations, recorder.source_of(result))


class _Recorder(TorchDispatchMode):
    """Sees every operation of its thread and nothing of others'."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()
        self.picture = Operation("picture", {}, tuple(picture.shape))
        self.operations: list[Operation] = []
        self._signals: dict[int, tuple[Tensor, Signal]] = {}  # by identity; kept alive, so that no id is reused
        self._keep(picture, self.picture)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # True would import torch's compiler, which takes seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        values = {argument.name: argument.default_value for argument in func._schema.arguments}
        values |= dict(zip(values, args, strict=False)) | (kwargs or {})
        values = tree_map(self._signal, values)
        if any(isinstance(leaf, Signal) for leaf in tree_leaves(values)):
            self._write(func, values, args, result)
        return result

    def source_of(self, tensor: Tensor) -> Operation:
        """The operation that made ``tensor``. Raises ModelError when the picture has no part in it."""
        if id(tensor) not in self._signals:
            raise ModelError("What this network gives cannot be traced back to the picture.")
        return self._signals[id(tensor)][1].source

    def _write(self, func: Any, values: dict[str, Any], args: Any, result: Any) -> None:
        packet = func._schema.name.removeprefix("aten::")
        name = packet.rstrip("_")
        tensors = [tensor for tensor in tree_leaves(result) if isinstance(tensor, Tensor)]
        in_place = func._schema.is_mutable
        if not tensors or (in_place and not (isinstance(self._signal(args[0]), Signal) and tensors[0] is args[0])):
            raise ModelError(f"This network takes a way that cannot be followed: the operation {packet!r}.")
        others = self._other_views(args[0]) if in_place else []
        operation = self._append(Operation(name, values, tuple(tensors[0].shape), bool(others)))
        for tensor in tensors:
            self._keep(tensor, operation)
        for tensor in others:
            sources = {"before": self._signal(tensor), "written": Signal(operation, operation.shape)}
            self._keep(tensor, self._append(Operation("overwritten", sources, tuple(tensor.shape))))

    def _append(self, operation: Operation) -> Operation:
        self.operations.append(operation)
        for signal in operation.signals:
            signal.source.users.append(operation)
        return operation

    def _keep(self, tensor: Tensor, operation: Operation) -> None:
        self._signals[id(tensor)] = tensor, Signal(operation, tuple(tensor.shape))

    def _signal(self, value: Any) -> Any:
        return self._signals[id(value)][1] if id(value) in self._signals else value

    def _other_views(self, written: Tensor) -> list[Tensor]:
        """What else lies in the memory of ``written``."""
        place = written.untyped_storage().data_ptr()
        known = (tensor for tensor, _ in self._signals.values())
        return [tensor for tensor in known if tensor is not written and tensor.untyped_storage().data_ptr() == place]
