"""Which operation stretches a change by how much: one table, from torch's names to rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.bounds.layers import Convolution, matrix_norm, max_pool_bound, positive_bound
from uap_core.bounds.trace import Operation, Signal

# Display names of the kinds of layers; other operations keep torch's name.
KIND_NAMES = {
    "normalisation": "normalisation",
    "scale": "scale",
    "fully_connected": "fully connected",
    "convolution": "convolution",
    "convolution_batch_norm": "convolution + batch norm",
    "batch_norm": "batch norm",
    "layer_norm": "layer norm",
    "local_response": "local response normalisation",  # of a table that ships; no longer computed
    "max_pool": "max pool",
    "mean": "mean",
    "enlarging": "enlarging",
    "selection": "selection",
    "leaky_relu": "leaky relu",
    "sum": "sum",
    "concatenation": "concatenation",
    "whole": "whole network",
}


@dataclass(frozen=True)
class Part:
    """What one operation multiplies the bound by. Without a ``kind`` it stretches nothing and tables leave it out."""

    factor: float
    kind: str = ""
    weight: Tensor | None = None
    stride: str = ""
    convolution: Convolution | None = None


def _product(operation: Operation) -> Part:
    return Part(float(torch.as_tensor(operation.constant).abs().max()), _scale_of(operation))


def _quotient(operation: Operation) -> Part | None:
    least = float(torch.as_tensor(operation.constant).abs().min())
    divides = isinstance(operation.values["self"], Signal) and operation.values.get("rounding_mode") is None and least > 0
    return Part(1 / least, _scale_of(operation)) if divides else None


def _scale_of(operation: Operation) -> str:
    return "normalisation" if operation.shape[1:2] == (3,) else "scale"


def _matrix(operation: Operation) -> Part | None:
    left, right = operation.values["mat1" if operation.name == "addmm" else "self"], operation.values["mat2"]
    matrix = right.T if isinstance(left, Signal) else left  # (outputs, inputs)
    if not (isinstance(left, Signal) or isinstance(right, Signal)) or operation.values.get("alpha", 1) != 1:
        return None
    return Part(matrix_norm(matrix), "fully_connected", matrix)


def _convolution(operation: Operation) -> Part | None:
    values = operation.values
    weight, signal = values["weight"], values["input"]
    if values["transposed"] or not isinstance(weight, Tensor) or weight.dim() != 4:
        return None
    scaled, kind = weight.detach(), "convolution"
    if _takes_in_batch_norm(operation):  # one linear layer, whose norm is below the product of two
        scale = _batch_norm_scale(operation.users[0]).detach()
        scaled, kind = scaled * scale[:, None, None, None], "convolution_batch_norm"
    stride, padding, dilation = ((value * 2)[:2] for value in (values["stride"], values["padding"], values["dilation"]))
    layer = Convolution(scaled, tuple(stride), tuple(padding), tuple(dilation), values["groups"], signal.shape[2:])
    return Part(layer.circular_bound(), kind, weight, " x ".join(map(str, stride)), layer)


def _takes_in_batch_norm(operation: Operation) -> bool:
    alone = operation.name == "convolution" and len(operation.users) == 1
    return alone and operation.users[0].name in NORMS and not operation.users[0].values.get("training")


def _batch_norm_scale(operation: Operation) -> Tensor:
    values = operation.values
    scale = (values["running_var"] + values["eps"]).rsqrt()
    return scale if values["weight"] is None else scale * values["weight"]


def _batch_norm(operation: Operation) -> Part | None:
    if operation.values.get("training"):
        return None
    if _takes_in_batch_norm(operation.values["input"].source):
        return Part(1.0)
    return Part(float(_batch_norm_scale(operation).detach().abs().max()), "batch_norm", operation.values["weight"])


def _layer_norm(operation: Operation) -> Part:
    """Its Jacobian is a projection over the standard deviation, and that is at least the root of eps."""
    weight = operation.values["weight"]
    largest = 1.0 if weight is None else float(weight.abs().max())
    return Part(largest / math.sqrt(operation.values["eps"]), "layer_norm", weight)


def _max_pool(operation: Operation) -> Part:
    kernel, stride, dilation = ((operation.values[name] * 2)[:2] for name in ("kernel_size", "stride", "dilation"))
    stride = stride or kernel
    bound = max_pool_bound(kernel, stride, dilation)
    return Part(bound, "max_pool" if bound > 1 else "", stride=" x ".join(map(str, stride)))


def _positive(kind: str) -> Callable[[Operation], Part]:
    def rule(operation: Operation) -> Part:
        (signal,) = operation.signals
        layer = getattr(torch.ops.aten, operation.name)
        filled = {name: value for name, value in operation.values.items() if value is not None}

        def apply(ones: Tensor) -> Tensor:
            return layer(**{name: ones if value is signal else value for name, value in filled.items()})

        bound = positive_bound(apply, signal.shape)
        return Part(bound, "" if kind == "selection" and bound <= 1 else kind)

    return rule


def _slope(largest: float, kind: str = "") -> Callable[[Operation], Part]:
    return lambda operation: Part(largest, kind)


NORMS = ("native_batch_norm", "_native_batch_norm_legit_no_training")
# Rearrangements, parts of what there was, and functions of single numbers whose slope is at most 1.
SAME = (
    *("relu", "hardtanh", "clamp", "clamp_min", "tanh", "abs", "neg", "_softmax"),
    *("view", "_unsafe_view", "permute", "transpose", "t", "unsqueeze", "squeeze", "clone", "alias", "detach"),
    *("select", "slice", "split", "split_with_sizes", "unbind", "constant_pad_nd"),
)
RULES: dict[str, Callable[[Operation], Part | None]] = {
    **dict.fromkeys(SAME, _slope(1.0)),
    "leaky_relu": lambda operation: Part(max(1.0, abs(operation.values["negative_slope"])), "leaky_relu"),
    "sigmoid": _slope(1 / 4, "sigmoid"),
    "hardsigmoid": _slope(1 / 6, "hardsigmoid"),
    "silu": _slope(1.0999, "silu"),
    "gelu": _slope(1.13, "gelu"),
    "hardswish": _slope(1.5, "hardswish"),
    **{name: _positive("mean") for name in ("mean", "sum", "_adaptive_avg_pool2d", "avg_pool2d")},
    **{name: _positive("enlarging") for name in ("upsample_bilinear2d", "upsample_nearest2d")},
    **{name: _positive("selection") for name in ("index", "expand", "as_strided")},
    "mul": _product,
    "div": _quotient,
    "addmm": _matrix,
    "mm": _matrix,
    "convolution": _convolution,
    **dict.fromkeys(NORMS, _batch_norm),
    "native_layer_norm": _layer_norm,
    "max_pool2d_with_indices": _max_pool,
}
