from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from toys import seeded

from uap_core.training.opponents import PATTERN_STEP, EachImage, LearningPattern, Opponent, Pool


def linear(classes: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, classes))


def batch(seed: int = 3, count: int = 8) -> tuple[Tensor, Tensor]:
    return torch.rand(count, 3, 4, 4, generator=seeded(seed)), torch.arange(count) % 3


def opponents(alpha: float) -> list[Opponent]:
    learnt = LearningPattern(0.05, alpha, side=4)
    learnt.load({"pattern": 0.05 * torch.randn(3, 4, 4, generator=seeded(1)).sign()})
    pool = Pool(0.05 * torch.randn(2, 3, 4, 4, generator=seeded(2)).sign(), alpha)
    return [EachImage(0.05, alpha), learnt, pool]


@pytest.mark.parametrize(("alpha", "clean"), [(1.0, 8), (0.5, 4), (0.25, 2), (0.0, 0)])
def test_its_share_stays_clean_and_the_rest_moves_by_epsilon_at_most(alpha: float, clean: int) -> None:
    x, y = batch()
    for opponent in opponents(alpha):
        found = opponent.meet(linear(), x, y, seeded(0)).detach()
        moved = (found - x).abs().flatten(1).amax(dim=1)
        assert (moved > 0).tolist() == [False] * clean + [True] * (8 - clean), type(opponent).__name__
        assert moved.max() <= 0.05 + 1e-6
        assert ((found >= 0) & (found <= 1)).all()


def test_attacking_each_image_leaves_no_gradient_on_a_weight() -> None:
    network = linear()
    EachImage(0.05, 0.5).meet(network, *batch(), seeded(0))
    assert all(parameter.grad is None for parameter in network.parameters())


def met(opponent: LearningPattern, network: nn.Module, x: Tensor, y: Tensor) -> None:
    """One step of training, without the weights' part."""
    F.cross_entropy(network(opponent.meet(network, x, y, seeded(0))), y).backward()
    opponent.learn()


def test_the_pattern_takes_the_written_out_step() -> None:
    network, (x, y), opponent = linear(), batch(), LearningPattern(0.05, 0.5, side=4)
    v = torch.zeros(3, 4, 4, requires_grad=True)
    logits = network(torch.cat([x[:4], (x[4:] + v).clamp(0, 1)]))
    gradient = torch.autograd.grad(F.cross_entropy(logits, y), v)[0]
    met(opponent, network, x, y)
    torch.testing.assert_close(opponent.pattern, PATTERN_STEP * 0.05 * gradient.sign())


def test_the_pattern_reaches_the_corner_that_is_worst_on_a_linear_network() -> None:
    """One class of two: the loss climbs along sign(w_other - w_own) everywhere, and the ball ends there."""
    network, opponent = linear(2), LearningPattern(0.05, 0.0, side=4)
    x = 0.3 + 0.4 * torch.rand(8, 3, 4, 4, generator=seeded(5))
    for _ in range(25):
        met(opponent, network, x, torch.zeros(8, dtype=torch.long))
    weight = network[1].weight.detach()
    torch.testing.assert_close(opponent.pattern, 0.05 * (weight[1] - weight[0]).sign().view(3, 4, 4))


@settings(max_examples=20, deadline=None)
@given(epsilon=st.floats(0.001, 0.3), seed=st.integers(0, 99))
def test_the_pattern_never_leaves_the_ball(epsilon: float, seed: int) -> None:
    network, opponent = linear(), LearningPattern(epsilon, 0.0, side=4)
    for step in range(15):
        met(opponent, network, *batch(seed + step))
        assert opponent.pattern.abs().max() <= epsilon + 1e-7


def test_from_a_clean_batch_the_pattern_learns_nothing() -> None:
    opponent = LearningPattern(0.05, 1.0, side=4)
    met(opponent, linear(), *batch())
    assert not opponent.pattern.any()


def test_every_pattern_of_the_pool_is_met() -> None:
    patterns = 0.05 * torch.randn(3, 3, 4, 4, generator=seeded(2)).sign()
    x = torch.full((60, 3, 4, 4), 0.5)
    found = Pool(patterns, 0.0).meet(linear(), x, torch.zeros(60, dtype=torch.long), seeded(0)) - x
    counts = [int(torch.isclose(found, pattern).flatten(1).all(dim=1).sum()) for pattern in patterns]
    assert sum(counts) == 60
    assert min(counts) >= 10
