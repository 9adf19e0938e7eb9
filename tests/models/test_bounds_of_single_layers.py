"""Layers whose exact constant is known, each alone in a network."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.bounds.network import layers


class Applied(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


FACTORS, EPS = torch.tensor([1.0, 5.0, 1.0]).view(1, 3, 1, 1), 1e-3


def normed(x: Tensor) -> Tensor:
    """A batch norm of a constant channel: all that keeps it finite is eps."""
    return F.batch_norm(x, torch.zeros(3), torch.tensor([0.0, 1.0, 4.0]), training=False, eps=EPS)


@pytest.mark.parametrize(
    ("function", "constant"),
    [
        (lambda x: torch.stack([x, 3 * x]), math.sqrt(10)),
        (lambda x: x * FACTORS, 5),
        (lambda x: x / FACTORS, 1),
        (lambda x: FACTORS / (x + 0.5), math.inf),
        (normed, 1 / math.sqrt(EPS)),
        (lambda x: F.layer_norm(x, x.shape[1:], eps=EPS), 1 / math.sqrt(EPS)),
        (lambda x: F.conv2d(x, torch.tensor([1.0, 2.0, 2.0]).view(3, 1, 1, 1), groups=3), 2),
    ],
    ids=["stack", "factors", "divisors", "divided by the picture", "batch norm", "layer norm", "groups"],
)
def test_the_bound_is_the_constant(function: Callable[[Tensor], Tensor], constant: float) -> None:
    assert list(layers(Applied(function), 4))[-1].running == pytest.approx(constant, rel=1e-4)
