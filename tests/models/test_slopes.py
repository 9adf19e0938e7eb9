"""Every function of single numbers against its own derivative on a dense grid: a slope too small makes certificates false."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.bounds.network import layers

GRID = torch.linspace(-12, 12, 60_001, dtype=torch.float64)


class Applied(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


# Each with how far its bound may lie above what the grid shows; infinity where no rule is known, which is true too.
FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "relu": (F.relu, 1.001),
    "relu6": (F.relu6, 1.001),
    "hardtanh": (F.hardtanh, 1.001),
    "clamp": (lambda x: x.clamp(-1, 2), 1.001),
    "tanh": (torch.tanh, 1.001),
    "abs": (torch.abs, 1.001),
    "sigmoid": (torch.sigmoid, 1.001),
    "hardsigmoid": (F.hardsigmoid, 1.001),
    "silu": (F.silu, 1.001),
    "gelu": (F.gelu, 1.01),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), 1.01),
    "hardswish": (F.hardswish, 1.001),
    "leaky relu": (lambda x: F.leaky_relu(x, 0.1), 1.001),
    "leaky relu, steeper on the left": (lambda x: F.leaky_relu(x, 1.7), 1.001),
    "leaky relu, falling": (lambda x: F.leaky_relu(x, -2.0), 1.001),
    "silu of beta 2": (lambda x: x * torch.sigmoid(2 * x), math.inf),
    "softplus of beta 2": (lambda x: F.softplus(x, beta=2), math.inf),
    "elu of alpha 3": (lambda x: F.elu(x, alpha=3), math.inf),
    "mish": (F.mish, math.inf),
    "twice a hardswish": (lambda x: 2 * F.hardswish(x), 1.001),
    "a silu of the double": (lambda x: F.silu(2 * x), 1.001),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_bound_is_the_steepest_slope(name: str) -> None:
    function, above = FUNCTIONS[name]
    x = GRID.clone().requires_grad_(True)
    steepest = float(torch.autograd.grad(function(x).sum(), x)[0].abs().max())
    bound = list(layers(Applied(function), 4))[-1].running
    assert bound >= steepest * (1 - 1e-6)
    assert bound <= steepest * above
