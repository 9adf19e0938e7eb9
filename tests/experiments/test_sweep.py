from __future__ import annotations

import pytest
import torch
from torch import Tensor

from uap_core.attacks.fgsm import FGSM
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError
from uap_core.experiments.epsilon_sweep import (
    EPSILONS,
    RANDOM,
    SINGLE,
    UNIVERSAL,
    SweepRow,
    default_epsilons,
    epsilon_sweep,
    photo_sweep,
)
from uap_core.models.classifier import Classifier
from uap_core.models.gradients import loss_gradient
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation

SIDE = 8
VALUES = 3 * SIDE * SIDE
BALLS = [Ball("linf", 10 / 255), Ball("l2", 0.5)]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module", params=[0.3, 6.0], ids=["unsure", "sure"])
def network(linear, request: pytest.FixtureRequest) -> Classifier:
    """The sure one gives probabilities so near to 1 that gradients are below what 16 bits can hold."""
    weight = torch.randn(3, VALUES, generator=seeded(0))
    weight -= weight.mean(dim=1, keepdim=True)
    return linear(weight * request.param, torch.zeros(3))


@pytest.fixture(scope="module")
def images() -> ImageSet:
    pixels = torch.randint(0, 256, (30, 3, SIDE, SIDE), generator=seeded(1), dtype=torch.uint8)
    return ImageSet("random", pixels, ("0",) * 30, tuple(f"{i}.png" for i in range(30)))


def pattern(ball: Ball) -> Perturbation:
    return Perturbation("a pattern", ball.fill(torch.randn(3, SIDE, SIDE, generator=seeded(2))), ball)


def sweep(network: Classifier, images: ImageSet, ball: Ball, **options: object) -> list[SweepRow]:
    return list(epsilon_sweep(network, pattern(ball), images, seeded(3), **options))


def fooled(network: Classifier, images: ImageSet, changed: Tensor) -> int:
    with torch.no_grad():
        return int((network(images.images(slice(None))).argmax(dim=1) != network(changed).argmax(dim=1)).sum())


@pytest.mark.parametrize("ball", BALLS, ids=str)
def test_at_epsilon_zero_nobody_is_fooled(network: Classifier, images: ImageSet, ball: Ball) -> None:
    rows = sweep(network, images, ball)
    zero = [row for row in rows if row.epsilon == 0]
    assert [row.attack for row in zero] == [UNIVERSAL, RANDOM, SINGLE]
    assert [(row.fooling_rate.count, row.fooling_rate.total) for row in zero] == [(0, 30)] * 3
    assert len(rows) == 3 * len(EPSILONS)


def test_rows_equal_those_made_by_hand(network: Classifier, images: ImageSet) -> None:
    x = images.images(slice(None))
    clean = network(x).argmax(dim=1)
    mine, counts = pattern(BALLS[0]), []
    signs = torch.randint(0, 2, (3, SIDE, SIDE), generator=seeded(3)) * 2 - 1
    for row in sweep(network, images, BALLS[0], batch_size=7):
        if row.attack == UNIVERSAL:
            expected = fooled(network, images, (x + mine.pattern * (row.epsilon * 25.5)).clamp(0, 1))
            assert fooled(network, images, mine.scaled_to(row.epsilon).apply(x)) == expected
        elif row.attack == RANDOM:
            expected = fooled(network, images, (x + signs * row.epsilon).clamp(0, 1))
        else:
            expected = int(FGSM(row.epsilon)(network, x, clean).success.sum())
        assert row.fooling_rate.count == expected, row
        counts.append(expected)
    assert max(counts) > 10  # the three attacks have something to differ by
    assert len(set(counts)) > 4


def test_in_l2_every_step_has_the_length_of_the_ball(network: Classifier, images: ImageSet) -> None:
    x = images.images(slice(None))
    gradient = loss_gradient(network, x, network(x).argmax(dim=1)).double()
    directions = gradient / gradient.flatten(1).norm(dim=1)[:, None, None, None]
    lengths = (0.0, 0.25, 0.5, 1.0, 2.0)
    rows = [row for row in sweep(network, images, BALLS[1], epsilons=lengths) if row.attack == SINGLE]
    expected = [fooled(network, images, (x + directions * length).clamp(0, 1).float()) for length in lengths]
    assert [row.fooling_rate.count for row in rows] == expected
    assert expected[-1] > expected[1]


def test_any_module_and_a_tensor_will_do_and_an_empty_set_is_refused(network: Classifier, images: ImageSet) -> None:
    rows = sweep(network, images, BALLS[0])
    assert sweep(network.network, images.pixels, BALLS[0]) == rows
    with pytest.raises(DatasetError, match="no images"):
        sweep(network, images.prefix(0), BALLS[0])


@pytest.mark.parametrize("ball", BALLS, ids=str)
def test_the_batch_size_does_not_matter(network: Classifier, images: ImageSet, ball: Ball) -> None:
    assert sweep(network, images, ball, batch_size=1) == sweep(network, images, ball, batch_size=30)
    assert sweep(network, images, ball, batch_size=8) == sweep(network, images, ball, batch_size=64)


def test_photo_rows_are_softmax_probabilities(linear) -> None:
    network = linear(torch.randn(3, VALUES, generator=seeded(0)) * 0.3, torch.zeros(3))
    mine = pattern(Ball("linf", 20 / 255))
    x = torch.rand(1, 3, SIDE, SIDE, generator=seeded(4))
    epsilons = (0.0, 5 / 255, 20 / 255, 60 / 255)
    rows = photo_sweep(network, mine, x, epsilons)
    clean = int(network(x).argmax())
    at_own = network((x + mine.pattern).clamp(0, 1))[0]
    new = next(i for i in at_own.argsort(descending=True).tolist() if i != clean)
    assert [row.epsilon for row in rows] == list(epsilons)
    for row in rows:
        factor = row.epsilon / mine.ball.radius
        p = network((x + mine.pattern * factor).clamp(0, 1)).softmax(dim=1)[0]
        assert (row.clean_label, row.new_label, row.predicted) == (str(clean), str(new), str(int(p.argmax())))
        assert row.clean_probability == pytest.approx(float(p[clean]), abs=1e-5)
        assert row.new_probability == pytest.approx(float(p[new]), abs=1e-5)
    assert rows[0].predicted == rows[0].clean_label


def test_an_unmoved_photo_is_shown_beside_its_strongest_rival(linear) -> None:
    network = linear(torch.zeros(3, VALUES), torch.tensor([1.0, 3.0, 2.0]))
    rows = photo_sweep(network, pattern(BALLS[0]), torch.rand(1, 3, SIDE, SIDE, generator=seeded(4)))
    assert {(row.clean_label, row.new_label, row.predicted) for row in rows} == {("1", "2", "1")}


def test_an_l2_pattern_is_swept_around_its_own_radius() -> None:
    assert default_epsilons(BALLS[0]) == EPSILONS
    assert default_epsilons(Ball("l2", 2.0)) == pytest.approx((0, 0.2, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0))
