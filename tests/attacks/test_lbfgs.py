from __future__ import annotations

import torch
from toys import SIDE, VALUES, pictures, seeded, smooth_network

from uap_core.attacks.lbfgs import LBFGS


def test_it_stays_in_the_box_without_clamping_away_what_it_found(linear) -> None:
    """Pictures of black and white pixels only: half the values cannot go where they would."""
    weight = torch.randn(2, VALUES, generator=seeded(0)) * 10
    network, x = linear(weight), torch.rand(4, 3, SIDE, SIDE, generator=seeded(1)).round()
    logits = network(x)
    target = logits.argmin(dim=1)
    result = LBFGS()(network, x, target, targeted=True)
    assert result.success.all()
    least = torch.tensor([least_in_the_box(weight, *row) for row in zip(x, logits, target, strict=True)])
    assert (result.l2 >= 0.999 * least).all()
    assert (result.l2 <= 1.2 * least).all(), result.l2 / least


def least_in_the_box(weight: torch.Tensor, x: torch.Tensor, logits: torch.Tensor, target: torch.Tensor) -> float:
    """The least l2 change within [0,1] that closes the gap: x + m * normal, clamped, for the least m; by bisection."""
    normal, flat, gap = (weight[target] - weight[1 - target]).double(), x.flatten().double(), float(logits.max() - logits.min())
    low, high = 0.0, 1e3
    for _ in range(100):
        middle = (low + high) / 2
        enough = float(normal @ ((flat + middle * normal).clamp(0, 1) - flat)) >= gap
        low, high = (low, middle) if enough else (middle, high)
    return float(((flat + high * normal).clamp(0, 1) - flat).norm())


def test_looks_are_about_as_many_as_were_asked_for() -> None:
    network, x = smooth_network(0), pictures(4).float() / 255
    target = network(x).topk(2).indices[:, 1]
    for iterations in (3, 10, 25):
        result = LBFGS(search_steps=2, iterations=iterations)(network, x, target, targeted=True)
        assert (result.gradients <= 1 + 2 * (iterations + 21)).all()
        assert torch.equal(result.queries, result.gradients)  # the first look gives two gradients, one before it none


def test_more_constants_come_closer() -> None:
    network, x = smooth_network(0), pictures(6).float() / 255
    target = network(x).topk(2).indices[:, 1]
    one, four = (LBFGS(search_steps=steps)(network, x, target, targeted=True) for steps in (1, 4))
    many = LBFGS(search_steps=12, iterations=100)(network, x, target, targeted=True)
    assert four.success.all()
    assert (four.l2 <= one.l2).all()
    assert (many.l2 < 0.95 * four.l2).any()
