"""The same function in less time: layers rewritten once, when a network is loaded.

A network under attack never learns again, so a batch norm is part of the convolution before it; and the mean over
neighbouring channels, which local response normalisation needs, is a convolution too.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Graph, GraphModule, Node, Tracer
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

aten = torch.ops.aten
CHAIN = [aten.view.default, aten.pad.default, aten.avg_pool3d.default, aten.squeeze.dim, aten.view.default]


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """``network`` with each batch norm moved into the convolution whose output it alone takes; changed in place.

    Layers keep their names; where a batch norm was, nothing happens. A network whose forward pass cannot be traced is left
    as it is.
    """
    network.eval()
    try:
        nodes = _traced(network).nodes
    except Exception:  # what a stranger's forward pass does to the tracer's stand-ins is anybody's guess
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
    """What is left of a batch norm once it is folded: nothing, or the activation that timm's BatchNormAct2d holds."""
    activation = getattr(batch_norm, "act", None)
    return activation if isinstance(activation, nn.Module) else nn.Identity()


_tracing = threading.Lock()


def _traced(network: nn.Module) -> Graph:
    with _tracing:  # two at once would leave each other's replacement of nn.Module.__call__ behind for ever
        return _OwnThread().trace(network)


class _OwnThread(Tracer):
    """Follows the thread that traces. Tracing replaces nn.Module.__call__ for all, and others compute meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Torch's own layers are not gone into, nor are timm's kinds of convolution and batch norm."""
        return isinstance(m, (nn.Conv2d, nn.BatchNorm2d)) or super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """As torch does, of this thread; anybody else's layer just computes."""
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)


def mean_of_neighbours(x: Tensor, size: int) -> Tensor:
    """Sum of each channel and its neighbours, ``size`` in all, zeros beyond the ends, over ``size``; (n,C,h,w) to the same.

    As a convolution with a band of 1 / size, which a processor does several times as fast as pooling over channels.
    """
    channel = torch.arange(x.shape[1], device=x.device)
    band = ((channel[:, None] - channel).abs() <= size // 2).to(x.dtype) / size
    return F.conv2d(x, band[:, :, None, None])


def convolve_neighbours(program: GraphModule) -> GraphModule:
    """An exported ``program`` with local response normalisation's pooling replaced by ``mean_of_neighbours``, in place.

    torch writes it as view (n,1,C,h,w), pad, avg_pool3d, squeeze, view (n,C,h,w).
    """
    graph = program.graph
    for pool in [node for node in graph.nodes if node.target is aten.avg_pool3d.default]:
        chain = [*reversed(_only_sources(pool, 2)), pool, *_only_users(pool, 2)]
        if [node.target for node in chain] != CHAIN:
            continue
        view, pad, _, _, last = chain
        size = pool.args[1][0]
        same = size % 2 == 1 and pool.args[1:] == ([size, 1, 1], [1, 1, 1])
        one_group = len(view.args[1]) == 5 and view.args[1][1] == 1
        if same and one_group and pad.args[1:] == ([0, 0, 0, 0, size // 2, size // 2],):
            with graph.inserting_before(last):
                last.replace_all_uses_with(graph.call_function(mean_of_neighbours, (view.args[0], size)))
    graph.eliminate_dead_code()
    program.recompile()
    return program


def _only_users(node: Node, count: int) -> list[Node]:
    """The node that takes the output of ``node``, the one that takes its output, and so on, as far as each is the only one."""
    found: list[Node] = []
    while len(found) < count and len(node.users) == 1:
        node = next(iter(node.users))
        found.append(node)
    return found


def _only_sources(node: Node, count: int) -> list[Node]:
    """The node whose output ``node`` takes first, the one whose output that takes, and so on, as far as they go."""
    found: list[Node] = []
    while len(found) < count and node.args and isinstance(node.args[0], Node):
        node = node.args[0]
        found.append(node)
    return found
