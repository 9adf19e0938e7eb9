from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from toys import seeded

from uap_core.training.adversarial import STEP, accuracy_under_attack, attacked


def linear(classes: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, classes)).requires_grad_(True)


@settings(max_examples=40, deadline=None)
@given(epsilon=st.floats(0, 0.2), steps=st.integers(1, 5), seed=st.integers(0, 99))
def test_never_beyond_epsilon_nor_out_of_the_box(epsilon: float, steps: int, seed: int) -> None:
    x = torch.rand(6, 3, 4, 4, generator=seeded(seed)).round(decimals=1)  # with zeros and ones
    found = attacked(linear(), x, torch.arange(6) % 3, epsilon, seeded(seed), steps)
    assert (found - x).abs().max() <= epsilon + 1e-6
    assert ((found >= 0) & (found <= 1)).all()
    assert not found.requires_grad


def test_one_step_is_the_written_out_one() -> None:
    network, x, y, epsilon = linear(), 0.3 + 0.4 * torch.rand(5, 3, 4, 4, generator=seeded(1)), torch.arange(5) % 3, 0.05
    start = (2 * torch.rand(x.shape, generator=seeded(2)) - 1) * epsilon
    tried = (x + start).requires_grad_(True)
    gradient = torch.autograd.grad(F.cross_entropy(network(tried), y), tried)[0]
    expected = x + (start + STEP * epsilon * gradient.sign()).clamp(-epsilon, epsilon)
    torch.testing.assert_close(attacked(network, x, y, epsilon, seeded(2)), expected)


def test_more_steps_reach_the_corner_that_is_worst_on_a_linear_network() -> None:
    """Two classes: the loss climbs along sign(w_other - w_own) everywhere."""
    network, x, epsilon = linear(2), 0.5 * torch.ones(4, 3, 4, 4), 0.1
    y = torch.tensor([0, 1, 0, 1])
    found = attacked(network, x, y, epsilon, seeded(0), steps=20)
    weight = network[1].weight.detach()
    for image, label in zip(found, y, strict=True):
        worst = epsilon * (weight[1 - label] - weight[label]).sign().view(3, 4, 4)
        torch.testing.assert_close(image, 0.5 + worst)
    soft = attacked(network, x, F.one_hot(y, 2).float(), epsilon, seeded(0), steps=20)
    torch.testing.assert_close(soft, found)


def test_accuracy_under_attack_falls_with_epsilon_and_is_plain_accuracy_at_none() -> None:
    network = linear()
    images = torch.randint(0, 256, (150, 3, 4, 4), generator=seeded(4), dtype=torch.uint8)
    with torch.no_grad():
        labels = network(images.float() / 255).argmax(dim=1)
    labels[:15] = (labels[:15] + 1) % 3
    rates = [accuracy_under_attack(network, images, labels, epsilon, seeded(0)) for epsilon in (0.0, 0.02, 0.2)]
    assert rates[0] == pytest.approx(0.9)
    assert rates[0] > rates[1] > rates[2]
