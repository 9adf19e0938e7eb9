"""Networks that write into a part of what they computed: the bound of the whole holds, or nothing is claimed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from test_network_bounds import SIDE, Function, bound_of, unknown
from torch import Tensor, nn

from uap_core.bounds.network import layers
from uap_core.errors import ModelError


def overwritten(write: Callable[[Tensor], object], seen: Callable[[Tensor], Tensor] = lambda page: page) -> nn.Module:
    """Writes into a copy of the picture, by way of another tensor in the same memory, and gives what is ``seen`` of it."""

    def function(x: Tensor) -> Tensor:
        page = x.clone()
        first = seen(page)
        write(page)
        return first

    return Function(function)


@pytest.mark.parametrize(
    "write",
    [
        lambda page: page[:, :1].mul_(50.0),
        lambda page: page[:, :1].add_(page[:, 1:2].clone(), alpha=30.0),
        lambda page: page.__setitem__((slice(None), slice(1)), 50 * page[:, 1:2]),
    ],
)
def test_a_part_that_is_written_anew_leaves_the_whole_without_a_bound(write) -> None:
    assert unknown(overwritten(write)).note == "unknown"
    assert unknown(overwritten(lambda page: page.mul_(50.0), lambda page: page.view(3, -1))).kind == "mul"
    assert bound_of(overwritten(lambda page: page[:, :1].relu_())) == 1, "what stretches nothing may"


def test_what_is_written_elsewhere_is_refused() -> None:
    with pytest.raises(ModelError, match="mul"):
        list(layers(Function(lambda x: torch.mul(x, 40.0, out=torch.zeros_like(x))), SIDE))
