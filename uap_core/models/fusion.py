"""The same function in less time: batch norms become part of the convolutions before them when a network is loaded."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from torch import nn
from torch.fx import Graph, Node, Tracer
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """``network`` with each batch norm moved into the convolution whose output it alone takes; changed in place.

    Layers keep their names; where a batch norm was, nothing happens. A network whose forward pass cannot be traced is left
    as it is.
    """
    network.eval()
    try:
        nodes = _traced(network).nodes
    except Exception:  # an unknown forward pass may do anything with the tracer's proxies
        return network
    uses = Counter(node.target for node in nodes if node.op == "call_module")
    for norm in nodes:
        before = norm.args[0] if norm.op == "call_module" and norm.args else None
        if not isinstance(before, Node) or before.op != "call_module" or len(before.users) != 1:
            continue
        if uses[norm.target] != 1 or uses[before.target] != 1:  # a layer used twice has two places to be folded into
            continue
        convolution, batch_norm = (network.get_submodule(str(node.target)) for node in (before, norm))
        if isinstance(convolution, nn.Conv2d) and isinstance(batch_norm, nn.BatchNorm2d):
            network.set_submodule(str(before.target), fuse_conv_bn_eval(convolution, batch_norm))
            network.set_submodule(str(norm.target), _what_follows(batch_norm))
    return network


def _what_follows(batch_norm: nn.BatchNorm2d) -> nn.Module:
    """The remainder of a folded batch norm: nothing, or the activation inside timm's BatchNormAct2d."""
    activation = getattr(batch_norm, "act", None)
    return activation if isinstance(activation, nn.Module) else nn.Identity()


_tracing = threading.Lock()


def _traced(network: nn.Module) -> Graph:
    with _tracing:  # two at once would make each other's patch of nn.Module.__call__ permanent
        return _OwnThread().trace(network)


class _OwnThread(Tracer):
    """Trace the calling thread only: tracing patches nn.Module.__call__ for all threads, and others may be computing."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Do not trace into torch's own layers, nor into timm's convolutions and batch norms."""
        return isinstance(m, (nn.Conv2d, nn.BatchNorm2d)) or super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Trace calls of this thread; layers called by other threads compute as usual."""
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)
