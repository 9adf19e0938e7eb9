from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor
from toys import SIDE, pictures, seeded, smooth_network

from uap_core import wrap
from uap_core.attacks.criterion import Criterion
from uap_core.attacks.square import Square, square_side
from uap_core.models.classifier import Classifier

EPSILON, QUERIES = 0.03, 120


def watched(network: Classifier) -> list[Tensor]:
    """All pictures that the network will be shown."""
    seen: list[Tensor] = []
    network.network.register_forward_pre_hook(lambda _, given: seen.append(given[0].clone()))
    return seen


@pytest.mark.parametrize("targeted", [False, True])
def test_each_square_is_kept_only_if_the_aim_comes_nearer(targeted: bool) -> None:
    network, judge, x = smooth_network(0), smooth_network(0), pictures(1, 1).float() / 255
    seen = watched(network)
    labels = judge(x).topk(5).indices[:, 4 if targeted else 0]
    aim, first = Criterion(labels, targeted), int(targeted)  # the first look of a targeted attack is at the picture itself
    results = list(Square(EPSILON, QUERIES).stream(network, x, labels, targeted, seeded(2)))
    current, accepted = seen[first], 0
    for number, tried in enumerate(seen[first + 1 :], start=1):
        changed = (tried != current).any(dim=1)[0]
        rows, columns = changed.any(dim=1).nonzero().flatten(), changed.any(dim=0).nonzero().flatten()
        if len(rows):
            side = square_side(number / QUERIES, SIDE, SIDE, 0.1)
            assert rows[-1] - rows[0] < side, "nothing changes outside a square"
            assert columns[-1] - columns[0] < side
        if aim.gap(judge(tried)) < aim.gap(judge(current)):
            current, accepted = tried, accepted + 1
    assert accepted >= 5
    assert torch.equal(results[-1].adversarial, current)
    gaps = [float(aim.gap(judge(result.adversarial))) for result in results]
    assert all(after <= before for before, after in pairwise(gaps))
    assert gaps[-1] < gaps[0]
    assert int(results[-1].queries) == len(seen)


def test_it_starts_with_vertical_stripes_of_epsilon() -> None:
    network, x = smooth_network(0), torch.full((1, 3, SIDE, SIDE), 0.5)
    seen = watched(network)
    Square(EPSILON, 5)(network, x, network(x).argmax(dim=1))
    stripes = seen[1] - x
    assert torch.equal(stripes, stripes[:, :, :1].expand_as(stripes))
    torch.testing.assert_close(stripes.abs(), torch.full_like(stripes, EPSILON))
    assert len(stripes[0, :, 0].sign().unique()) == 2


def test_every_value_is_epsilon_away_from_the_picture() -> None:
    network, x = smooth_network(0), torch.rand(3, 3, SIDE, SIDE, generator=seeded(1)) * 0.8 + 0.1
    result = Square(EPSILON, QUERIES)(network, x, network(x).argmax(dim=1))
    torch.testing.assert_close((result.adversarial - x).abs(), torch.full_like(x, EPSILON))


def test_it_asks_for_no_gradient_and_stops_when_it_succeeds() -> None:
    network, x = smooth_network(0), pictures(6).float() / 255
    result = Square(0.1, QUERIES)(network, x, network(x).argmax(dim=1))
    assert result.gradients.tolist() == [0] * 6
    assert result.success.any()
    assert (result.queries <= QUERIES).all()
    assert (result.queries < QUERIES)[result.success].any()
    assert (result.queries == QUERIES)[~result.success].all()


@pytest.mark.parametrize("side", [8, 64, 224])
def test_the_squares_shrink_from_the_first_share(side: int) -> None:
    sides = [square_side(query / 1000, side, side, 0.1) for query in range(1001)]
    assert sides[0] == round((0.1 * side * side) ** 0.5)
    assert all(after <= before for before, after in pairwise(sides))
    assert sides[-1] == max(1, round((0.1 / 512 * side * side) ** 0.5))
    assert min(sides) >= 1
    assert square_side(0, side, side, 1.0) == side
    assert square_side(0, side, 4 * side, 1.0) == side, "no square is larger than the picture"


@pytest.mark.parametrize("shape", [(24, 6), (6, 24)])
def test_squares_lie_anywhere_in_a_picture_that_is_not_square(shape: tuple[int, int]) -> None:
    tried: list[Tensor] = []

    class Seen(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            tried.append(x.clone())
            return torch.stack([3 * torch.ones(len(x)), x.mean(dim=(1, 2, 3))], dim=1)

    network, x = wrap(Seen(), size=shape), torch.full((1, 3, *shape), 0.5)
    list(Square(EPSILON, QUERIES).stream(network, x, torch.tensor([0]), False, seeded(0)))
    start, queries = tried[-QUERIES], tried[-QUERIES + 1 :]
    moved = torch.stack([(one != start)[0].any(dim=0) for one in queries])
    assert moved.any(dim=(0, 2)).all(), "in every row"
    assert moved.any(dim=(0, 1)).all(), "and column"
    assert moved.flatten(1).any(dim=1).float().mean() > 0.5, "and few queries for nothing"
