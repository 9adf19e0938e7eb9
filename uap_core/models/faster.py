"""The same function in less time: layers rewritten once, when a network is loaded.

A network under attack never learns again, so a batch norm is part of the convolution before it; and the mean over
neighbouring channels, which local response normalisation needs, is a convolution too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Node, symbolic_trace
from torch.fx.proxy import TraceError
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

aten = torch.ops.aten


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """``network`` with each batch norm moved into the convolution whose output it alone takes; changed in place.

    Layers keep their names; where a batch norm was, nothing happens. A network whose forward pass cannot be traced is left
    as it is.
    """
    network.eval()
    try:
        nodes = symbolic_trace(network).graph.nodes
    except TraceError:
        return network
    for norm in nodes:
        before = norm.args[0] if norm.op == "call_module" and norm.args else None
        if not isinstance(before, Node) or before.op != "call_module" or len(before.users) != 1:
            continue
        convolution, batch_norm = (network.get_submodule(str(node.target)) for node in (before, norm))
        if isinstance(convolution, nn.Conv2d) and isinstance(batch_norm, nn.BatchNorm2d):
            network.set_submodule(str(before.target), fuse_conv_bn_eval(convolution, batch_norm))
            network.set_submodule(str(norm.target), nn.Identity())
    return network


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
        chain = [pool.args[0].args[0], pool.args[0], pool, *_only_users(pool, 2)]
        steps = [aten.view.default, aten.pad.default, aten.avg_pool3d.default, aten.squeeze.dim, aten.view.default]
        size = pool.args[1][0]
        plain = pool.args[1:] == ([size, 1, 1], [1, 1, 1]) and chain[1].args[1:] == ([0, 0, 0, 0, size // 2, size // 2],)
        if [node.target for node in chain] == steps and plain and size % 2:
            with graph.inserting_before(chain[-1]):
                chain[-1].replace_all_uses_with(graph.call_function(mean_of_neighbours, (chain[0].args[0], size)))
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
