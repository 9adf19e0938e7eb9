from __future__ import annotations

import pytest
import torch
from toys import SIDE, seeded, smooth_network, toy_set

from uap_core.experiments.random_directions import always, anywhere, fooled_by, in_span, one_of
from uap_core.metrics import Rate, predict

SHAPE = (3, SIDE, SIDE)
IMAGES, NETWORK = toy_set("some", 70, 1), smooth_network(0, spread=0.3)
CLEAN = predict(NETWORK, IMAGES.batches())


def basis(count: int) -> torch.Tensor:
    orthonormal, _ = torch.linalg.qr(torch.randn(3 * SIDE * SIDE, count, generator=seeded(5)))
    return orthonormal.T.reshape(count, *SHAPE)


DRAWS = {
    "always": lambda: always(torch.full(SHAPE, 3.0)),
    "one of": lambda: one_of(torch.randn(4, *SHAPE, generator=seeded(2)), seeded(3)),
    "signs": lambda: one_of(torch.randn(4, *SHAPE, generator=seeded(2)).sign().to(torch.int8), seeded(3)),
    "anywhere": lambda: anywhere(SHAPE, seeded(4)),
    "in span": lambda: in_span(basis(3), seeded(4)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_directions_are_of_unit_length_and_the_generator_decides(name: str) -> None:
    drawn = DRAWS[name]()(6)
    assert len(drawn) in (1, 6)
    assert drawn.flatten(1).norm(dim=1).tolist() == pytest.approx([1.0] * len(drawn), rel=1e-4)
    assert drawn.equal(DRAWS[name]()(6))


def test_vectors_of_a_span_lie_in_it_and_fill_it() -> None:
    span = basis(3)
    drawn = in_span(span, seeded(0))(200).flatten(1)
    coordinates = drawn @ span.flatten(1).T
    assert torch.allclose(coordinates @ span.flatten(1), drawn, atol=1e-5)
    assert coordinates.square().mean(dim=0).tolist() == pytest.approx([1 / 3] * 3, abs=0.07)
    assert abs(float(coordinates.mean())) < 0.1  # both signs alike


def test_one_of_draws_every_direction() -> None:
    directions = torch.eye(4)[:, :, None, None].expand(4, 4, 2, 2)[:, :3].contiguous()
    directions[3] = -1.0
    drawn = one_of(directions, seeded(0))(100)
    assert len({tuple(direction.flatten().tolist()) for direction in drawn}) == 4


def test_nothing_fools_nobody_and_length_fools() -> None:
    assert fooled_by(NETWORK, IMAGES, CLEAN, anywhere(SHAPE, seeded(0)), 0.0) == Rate(0, 70)
    assert fooled_by(NETWORK, IMAGES, CLEAN, anywhere(SHAPE, seeded(0)), 20.0).value > 0.3


def test_a_rate_is_that_of_the_same_vectors_added_by_hand() -> None:
    draw = anywhere(SHAPE, seeded(7))
    vectors = torch.cat([draw(32), draw(32), draw(6)])
    after = NETWORK((IMAGES.images(slice(None)) + 4.0 * vectors).clamp(0, 1)).argmax(dim=1)
    expected = Rate(int((after != CLEAN).sum()), 70)
    assert 0 < expected.count < 70
    assert fooled_by(NETWORK, IMAGES, CLEAN, anywhere(SHAPE, seeded(7)), 4.0) == expected
