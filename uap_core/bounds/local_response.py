"""Local response normalisation (Krizhevsky et al., 2012), told from the operations that it is made of."""

from __future__ import annotations

import torch
from torch import Tensor

from uap_core.bounds.layers import local_response_bound
from uap_core.bounds.trace import Operation, Signal


def local_response(operation: Operation) -> tuple[float, list[Operation]] | None:
    """Where x / (k + a * convolution(x * x))^beta ends, with a band of equal weights: its bound, and the operations within."""
    chain = _chain(operation)
    if [inner.name for inner in chain] != ["div", "pow", "add", "mul", "convolution", "mul"]:
        return None
    _, power, offset, scale, band, square = chain
    x, weight = operation.values["self"], band.values["weight"]
    same = square.values["self"] == square.values["other"] == x and all(len(inner.users) == 1 for inner in chain[1:])
    numbers = [torch.as_tensor(value) for value in (offset.constant, power.constant, scale.constant)]
    if not same or any(number.numel() > 1 for number in numbers) or not _is_band(band) or offset.values["alpha"] != 1:
        return None
    k, beta, a = map(float, numbers)
    if not (isinstance(power.values["self"], Signal) and k > 0 and beta > 0 and a * float(weight.max()) >= 0):
        return None
    return local_response_bound(int((weight != 0).sum(dim=1).max()), k, beta), chain[1:]


def _is_band(convolution: Operation) -> bool:
    """Whether each channel gets the sum of itself and of those that get it in turn, all with the same weight."""
    weight = convolution.values["weight"]
    if not isinstance(weight, Tensor) or weight.shape[2:] != (1, 1) or convolution.values["bias"] is not None:
        return False
    linked = weight[:, :, 0, 0] != 0
    equal = bool((weight[:, :, 0, 0][linked] == weight.max()).all())
    return equal and convolution.values["groups"] == 1 and torch.equal(linked, linked.T) and bool(linked.diagonal().all())


def _chain(operation: Operation) -> list[Operation]:
    """From a quotient upwards: what makes its divisor, what makes that, until two things meet again."""
    found = [operation]
    following = operation.values.get("other") if operation.name == "div" else None
    while isinstance(following, Signal):
        found.append(following.source)
        signals = following.source.signals
        following = signals[0] if len(signals) == 1 else None
    return found
