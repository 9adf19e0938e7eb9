"""What a network's layers remember of photographs, and how far a batch is from it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from toys import seeded

from uap_core.errors import SettingError
from uap_core.training.statistics import BatchStatistics, Moments, distance, measured, trained


def moments(mean: Tensor, deviation: Tensor) -> Moments:
    return Moments(nn.Identity(), mean, deviation)


def test_distance_is_the_shift_and_the_spread_in_deviations() -> None:
    x = torch.randn(16, 2, 20, 20, generator=seeded(0))
    x = (x - x.mean(dim=(0, 2, 3), keepdim=True)) / x.std(dim=(0, 2, 3), keepdim=True)
    far = torch.tensor([3.0, -1.0]), torch.tensor([1.0, 2.0])
    assert float(distance(x, moments(torch.zeros(2), torch.ones(2)))) == pytest.approx(0, abs=1e-4)
    # shifts of 3 / 1 and 1 / 2 deviations, spreads of 1 / 1 and 1 / 2
    assert float(distance(x, moments(*far))) == pytest.approx((9 + 0.25) / 2 + (0 + 0.25) / 2, rel=1e-3)


def test_sixteen_bits_do_not_lose_a_small_deviation_about_a_large_mean() -> None:
    mean, deviation = torch.tensor([40.0]), torch.tensor([2.0])
    x = (mean + deviation * torch.randn(8, 1, 32, 32, generator=seeded(0))).bfloat16()
    assert float(distance(x, moments(mean, deviation))) < 0.01


def test_measured_moments_are_those_of_all_batches_together() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(inplace=True), nn.Conv2d(5, 4, 1))
    images = torch.rand(10, 3, 9, 9, generator=seeded(1))
    found = measured(network, images.split(4))
    first = network[0](images)
    assert [m.layer for m in found] == [network[0], network[2]]
    torch.testing.assert_close(found[0].mean, first.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(found[0].deviation, first.std(dim=(0, 2, 3), unbiased=False), rtol=1e-3, atol=1e-4)
    with BatchStatistics(found) as statistics:
        network(images)
        same = float(statistics.distance().detach())
        network(images * 0.5)
        other = float(statistics.distance().detach())
    assert same < 1e-4 < 0.1 < other
    assert not any(layer._forward_hooks for layer in network.modules())


def test_a_share_of_the_layers_is_heard() -> None:
    network = nn.Sequential(*(nn.BatchNorm2d(3) for _ in range(100))).eval()
    with BatchStatistics(trained(network), 0.3, seeded(0)) as statistics:
        network(torch.rand(2, 3, 4, 4))
        assert 15 <= len(statistics.terms) <= 45
    with BatchStatistics(trained(network)) as statistics:
        network(torch.rand(2, 3, 4, 4))
        assert len(statistics.terms) == 100
    assert float(BatchStatistics([]).distance()) == 0
    with pytest.raises(SettingError, match="share of evaluated layers"):
        BatchStatistics([], 0.0)
