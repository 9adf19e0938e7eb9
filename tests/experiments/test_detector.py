from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import SIDE, convolutional_network, seeded, toy_set

from uap_core.crafting.detector_aware import Unnoticed
from uap_core.errors import PerturbationError
from uap_core.experiments import detector
from uap_core.experiments.defences import Crafting
from uap_core.experiments.detector import (
    AWARE,
    ITERATED,
    RANDOM,
    SINGLE,
    UNIVERSAL,
    DetectorRow,
    auc_interval,
    detector_rows,
    roc,
)
from uap_core.metrics import Rate, auc
from uap_core.models import feature_entropy as entropy
from uap_core.models.classifier import Classifier
from uap_core.models.feature_entropy import deep_entropy
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation

IMAGES, CRAFT = toy_set("some", 20, 3), toy_set("others", 16, 4)
METHOD = Unnoticed(budget=160)
NOBODY = Rate(0, 1)
BALL = Ball("linf", 20 / 255)
numbers = st.lists(st.integers(-5, 5), min_size=1, max_size=12)


def pattern(ball: Ball = BALL, side: int = SIDE) -> Perturbation:
    return Perturbation("signs", ball.random_signs((3, side, side), seeded(1)), ball)


@pytest.fixture(autouse=True)
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entropy, "DEPTH", 1)  # the toy has one layer of maps, as wide as its pictures


def measured(network: Classifier, of: Perturbation, batch_size: int = 32) -> list[list[DetectorRow]]:
    found = detector_rows(network, of, CRAFT, IMAGES, METHOD, seeded(0), batch_size)
    return [rows for rows in found if not isinstance(rows, Crafting)]


def test_who_knows_the_detector_crafts_by_the_seed() -> None:
    network = convolutional_network()

    def aware(seed: int) -> list[DetectorRow]:
        found = detector_rows(network, pattern(), CRAFT, IMAGES, METHOD, seeded(seed))
        return next(rows for rows in found if not isinstance(rows, Crafting) and rows[0].attack == AWARE)

    assert aware(0) == aware(0) != aware(1)


def test_separable_is_1_equal_is_half_and_the_wrong_way_round_is_0() -> None:
    low, high = torch.linspace(0, 1, 30), torch.linspace(2, 3, 40)
    assert auc(high, low) == 1
    assert auc(low, high) == 0
    assert auc(low, low) == 0.5
    assert auc(torch.ones(7), torch.ones(5)) == 0.5


@given(clean=numbers, attacked=numbers)
def test_auc_is_the_mann_whitney_statistic(clean: list[int], attacked: list[int]) -> None:
    both = sorted(clean + attacked)
    ranks = {value: (2 * both.index(value) + both.count(value) + 1) / 2 for value in both}  # the mean rank of equal ones
    u = sum(ranks[value] for value in clean) - len(clean) * (len(clean) + 1) / 2
    assert auc(torch.tensor(clean).double(), torch.tensor(attacked).double()) == pytest.approx(u / len(clean) / len(attacked))


@given(clean=numbers, attacked=numbers)
def test_the_curve_rises_from_no_alarms_to_nothing_else(clean: list[int], attacked: list[int]) -> None:
    rows = roc("any", torch.tensor(clean).float(), torch.tensor(attacked).float(), NOBODY, points=60)
    counts = [(row.false_alarms.count, row.detected.count) for row in rows]
    assert counts[0] == (0, 0)
    assert counts[-1] == (len(clean), len(attacked))
    assert counts == sorted(counts)
    for row in rows:
        assert row.auc_low <= row.auc <= row.auc_high


def test_the_area_under_all_points_is_the_auc() -> None:
    clean, attacked = (torch.randn(40, generator=seeded(seed)) for seed in (1, 2))
    rows = roc("any", clean, attacked - 0.7, NOBODY, points=80)
    x, y = torch.tensor([(row.false_alarms.value, row.detected.value) for row in rows]).T
    assert float(torch.trapezoid(y, x)) == pytest.approx(rows[0].auc, abs=0.01)
    assert 0.6 < rows[0].auc < 0.8


def test_the_interval_of_hanley_and_mcneil() -> None:
    """Computed by hand from their equations: A = 0.8 with 50 and 50 images has Q1 = 2/3, Q2 = 0.7111, SE = 0.0446."""
    low, high = auc_interval(0.8, 50, 50)
    assert (high - low) / 2 / 1.96 == pytest.approx(0.0446, abs=2e-4)
    assert auc_interval(1.0, 50, 50) == (1, 1)
    few, many = auc_interval(0.8, 20, 20), auc_interval(0.8, 200, 200)
    assert few[0] < many[0] < many[1] < few[1]


def test_entropy_of_known_scores() -> None:
    network = convolutional_network()
    entropies = deep_entropy(network, IMAGES.images(slice(0, 6)))
    maps = network.network[0](IMAGES.images(slice(0, 6)))
    p = network.network[1](maps).mean(dim=(2, 3)).softmax(dim=1)
    torch.testing.assert_close(entropies, -(p * p.log()).sum(dim=1))
    assert float(entropies.max()) <= torch.tensor(4.0).log()


def test_every_attack_beside_the_same_clean_images() -> None:
    network = convolutional_network()
    found = measured(network, pattern(), batch_size=7)
    assert [rows[0].attack for rows in found] == [UNIVERSAL, AWARE, RANDOM, SINGLE, ITERATED]
    for rows in found:
        assert {row.attack for row in rows} == {rows[0].attack}
        assert all(row.false_alarms.total == row.detected.total == len(IMAGES) for row in rows)
    clean = deep_entropy(network, IMAGES.images(slice(None)))
    attacked = deep_entropy(network, pattern().apply(IMAGES.images(slice(None))))
    assert found[0][0].auc == pytest.approx(auc(clean, attacked), abs=1e-4)
    x = IMAGES.images(slice(None))
    changed = network(x).argmax(dim=1) != network(pattern().apply(x)).argmax(dim=1)
    assert {row.fooled for row in found[0]} == {Rate(int(changed.sum()), len(x))}
    again = measured(network, pattern(), batch_size=20)
    assert [rows[0].auc for rows in again] == pytest.approx([rows[0].auc for rows in found], abs=0.006)


def test_no_change_cannot_be_detected() -> None:
    nothing = pattern(Ball("linf", 0.0))
    for rows in measured(convolutional_network(), nothing):
        assert rows[0].auc == 0.5
        assert rows[0].fooled.count == 0
        assert all(row.false_alarms == row.detected for row in rows)


def test_an_l2_pattern_is_compared_with_signs_alone() -> None:
    found = measured(convolutional_network(), pattern(Ball("l2", 1.0)))
    assert [rows[0].attack for rows in found] == [UNIVERSAL, AWARE, RANDOM]


def test_a_detector_is_never_shown_without_the_pattern_that_knows_it() -> None:
    """Nothing beside the unknowing pattern comes before it, and its crafting says how far it is."""
    found = detector_rows(convolutional_network(), pattern(), CRAFT, IMAGES, METHOD, seeded(0))
    kinds = [rows.share if isinstance(rows, Crafting) else rows[0].attack for rows in found]
    assert kinds[0] == UNIVERSAL
    shares = kinds[1 : kinds.index(AWARE)]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_pattern_of_another_size_is_refused() -> None:
    with pytest.raises(PerturbationError, match="made for"):
        measured(convolutional_network(), pattern(side=16))


def test_points_are_as_many_as_stated() -> None:
    rows = roc("any", torch.rand(30, generator=seeded(0)), torch.rand(20, generator=seeded(1)), NOBODY)
    assert len(rows) == detector.POINTS + 1
    assert rows[-1].detected == Rate(20, 20)
