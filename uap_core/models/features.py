"""What a network computes on the way: its features at a chosen depth, for any kind of network in the zoo."""

from __future__ import annotations

import copy
from collections.abc import Callable
from threading import get_ident
from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Node

from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier


class _Found(Exception):
    def __init__(self, value: Tensor) -> None:
        self.value = value


Network = TypeVar("Network", bound=nn.Module)

# Forgotten with the network, so that nothing here keeps a network in memory that the zoo has let go.
_known: WeakKeyDictionary[Classifier, dict[tuple[int, int, int], Callable[[Tensor], Tensor]]] = WeakKeyDictionary()


def features_at(classifier: Classifier, stride: int, shape: tuple[int, int] | None = None) -> Callable[[Tensor], Tensor]:
    """The last feature maps (n,C,h,w) whose sides are still at least input / ``stride``, as a function of images (n,3,H,W),
    on the network's device and in the precision of its weights.

    ``shape`` is (H,W), the network's own when left out. Raises SettingError when the network has no such maps.
    """
    height, width = shape or classifier.shape or (classifier.size, classifier.size)
    found = _known.setdefault(classifier, {})
    if (stride, height, width) not in found:
        network, least = classifier.network, (height // stride, width // stride)
        if isinstance(network, GraphModule):
            found[stride, height, width] = _graph_until(network, least)
        else:
            probe = classifier.fitting(torch.zeros(1, 3, height, width))
            found[stride, height, width] = _module_until(network, least, probe)
    features = found[stride, height, width]
    return lambda images: features(classifier.fitting(images))


def copy_sharing_weights(network: Network) -> Network:
    """With layers of its own and the same weights."""
    return copy.deepcopy(network, {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())})


def _is_wide(shape: torch.Size | tuple[int, ...], least: tuple[int, int]) -> bool:
    """Whether these are maps of at least that size: with the picture's proportions, which a transformer's heads lack."""
    if len(shape) != 4 or shape[2] < least[0] or shape[3] < least[1]:
        return False
    # ``least`` is rounded down, so proportions are known within one of each.
    return shape[2] * least[1] <= shape[3] * (least[0] + 1) and shape[3] * least[0] <= shape[2] * (least[1] + 1)


def _none_wide(least: tuple[int, int]) -> SettingError:
    return SettingError(f"This network has no feature maps of {min(least)} pixels a side.")


def _graph_until(network: GraphModule, least: tuple[int, int]) -> Callable[[Tensor], Tensor]:
    """An exported program is a list of operations: cut it after the last wide one."""
    short = copy_sharing_weights(network)
    wide: list[Node] = []
    for node in short.graph.nodes:
        value = node.meta.get("val")
        if node.op == "call_function" and isinstance(value, Tensor) and _is_wide(value.shape, least):
            wide.append(node)
    if not wide:
        raise _none_wide(least)
    (output,) = (node for node in short.graph.nodes if node.op == "output")
    output.args = ((wide[-1],),)
    short.graph.eliminate_dead_code()
    short.recompile()
    return short


def _module_until(network: nn.Module, least: tuple[int, int], probe: Tensor) -> Callable[[Tensor], Tensor]:
    """Other networks are watched once, module by module; then they are left after the last wide one."""
    # A copy that shares the weights: hooks on the network itself would affect other users of it.
    network = copy_sharing_weights(network)
    for part in network.modules():
        part.training = False  # a wrapped module may be in training
    leaves = [module for module in network.modules() if not list(module.children())]
    calls: list[tuple[nn.Module, bool]] = []

    def watch(module: nn.Module, _: object, value: object) -> None:
        calls.append((module, isinstance(value, Tensor) and _is_wide(value.shape, least)))

    _with_hooks(leaves, watch, lambda: network(probe))
    wide = [index for index, (_, is_wide) in enumerate(calls) if is_wide]
    if not wide:
        raise _none_wide(least)
    chosen = calls[wide[-1]][0]
    nth = sum(module is chosen for module, _ in calls[: wide[-1] + 1])  # some modules are used several times

    def features(images: Tensor) -> Tensor:
        seen, mine = 0, get_ident()

        def leave(_: nn.Module, __: object, value: Tensor) -> None:
            nonlocal seen
            if get_ident() != mine:  # a hook hears the passes of all threads
                return
            seen += 1
            if seen == nth:
                raise _Found(value)

        try:
            _with_hooks([chosen], leave, lambda: network(images))
        except _Found as found:
            return found.value
        raise SettingError("This network does not compute the same layers every time.")

    return features


def _with_hooks(modules: list[nn.Module], hook: Callable[..., None], work: Callable[[], object]) -> None:
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        work()
    finally:
        for handle in handles:
            handle.remove()
