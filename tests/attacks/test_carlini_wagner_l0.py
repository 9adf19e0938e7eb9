from __future__ import annotations

import pytest
import torch
from torch import Tensor
from toys import SIDE, VALUES, seeded

from uap_core.attacks.cw_l0 import CarliniWagnerL0, pixels_then_l2


def fewest_pixels(weight: Tensor, x: Tensor, logits: Tensor, targets: Tensor) -> list[int]:
    """Of a linear network with two classes: the pixels that gain most at black or white are taken first."""
    found = []
    for image, row, target in zip(x.flatten(1), logits, targets, strict=True):
        normal = weight[target] - weight[1 - target]
        room = torch.where(normal > 0, 1 - image, image)
        gains = (normal.abs() * room).view(3, -1).sum(dim=0).sort(descending=True).values.cumsum(dim=0)
        found.append(int((gains < row.max() - row.min()).sum()) + 1)
    return found


@pytest.mark.parametrize("bias", [0.0, 10.0])
def test_it_changes_few_pixels_more_than_it_must(linear, bias: float) -> None:
    weight = torch.randn(2, VALUES, generator=seeded(0)) * 0.5
    network, x = linear(weight, torch.tensor([-bias, 0.0])), torch.rand(6, 3, SIDE, SIDE, generator=seeded(1))
    logits = network(x)
    target = logits.argmin(dim=1)
    least = torch.tensor(fewest_pixels(weight, x, logits, target))
    result = CarliniWagnerL0()(network, x, target, True)
    assert result.success.all()
    assert (result.l0 >= least).all()
    assert (result.l0 <= 1.6 * least + 1).all(), (result.l0, least)


def test_one_pixel_where_one_is_enough(linear) -> None:
    weight = torch.randn(2, VALUES, generator=seeded(0)) * 0.02
    weight.view(2, 3, SIDE, SIDE)[:, :, 3, 4] = torch.tensor([3.0, -3.0])[:, None]
    network, x = linear(weight, torch.tensor([-8.0, 8.0])), torch.rand(6, 3, SIDE, SIDE, generator=seeded(1))
    logits = network(x)
    target = logits.argmin(dim=1)
    assert fewest_pixels(weight, x, logits, target) == [1] * 6
    result = CarliniWagnerL0()(network, x, 1 - target)
    assert result.success.all()
    assert result.l0.tolist() == [1] * 6
    assert (result.adversarial != x).any(dim=1)[:, 3, 4].all()


def test_pixels_count_first_and_then_the_norm() -> None:
    change = torch.zeros(3, 3, SIDE, SIDE)
    change[0, :, 0, 0] = 1.0
    change[1, 0, 0, 0] = 0.5
    change[2, 0, 0, :2] = 0.01
    sizes = pixels_then_l2(change)
    assert sizes.long().tolist() == [1, 1, 2]
    assert sizes[1] < sizes[0] < sizes[2]
