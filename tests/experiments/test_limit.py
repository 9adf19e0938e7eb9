"""Who never falls, and what tells them apart, against closed forms."""

from __future__ import annotations

import pytest
import torch

from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.limit import fallen, fine_structure, limit_rows, never_row, trait_rows, traits
from uap_core.metrics import Rate, auc
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

SIDE = 8
VALUES = 3 * SIDE * SIDE


@pytest.fixture(scope="module")
def network(linear) -> Classifier:
    """Dark pictures are 0, bright ones 1: the logits are 0 and ten times the brightness less 5."""
    mean = torch.full((VALUES,), 1 / VALUES)
    return linear(torch.stack([0 * mean, 10 * mean]), torch.tensor([0.0, -5.0]))


def grey(*levels: float) -> torch.Tensor:
    return torch.stack([torch.full((3, SIDE, SIDE), round(255 * level), dtype=torch.uint8) for level in levels])


def test_the_area_under_the_curve_counts_pairs() -> None:
    assert auc(torch.tensor([3.0, 4.0]), torch.tensor([1.0, 2.0])) == 1
    assert auc(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])) == 0
    assert auc(torch.tensor([2.0, 5.0]), torch.tensor([1.0, 2.0, 4.0])) == pytest.approx((1 + 0.5 + 3) / 6)


def test_fine_structure_is_what_smoothing_takes_away() -> None:
    board = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 200.0
    slope = torch.arange(64.0).expand(64, 64)
    noisy, smooth = fine_structure(torch.stack([board, slope])).tolist()
    assert noisy == pytest.approx((24 / 25) ** 2, abs=0.01), "of the 25 around, 13 are alike"
    assert smooth < 0.01


def test_who_falls_to_any_of_several_patterns(network: Classifier) -> None:
    images = grey(0.1, 0.4, 0.6, 0.95)
    clean = network(images.float() / 255).argmax(dim=1)
    up, down = torch.full((3, SIDE, SIDE), 0.2), torch.full((3, SIDE, SIDE), -0.2)
    assert fallen(network, images, [up], clean).tolist() == [False, True, False, False]
    assert fallen(network, images, [up, down], clean).tolist() == [False, True, True, False]
    assert not fallen(network, images, [], clean).any()


def test_traits_and_their_rows(network: Classifier) -> None:
    images = grey(0.1, 0.4, 0.6, 1.0)
    found = traits(network, images, torch.tensor([0, 1, 1, 1]))
    torch.testing.assert_close(found["margin"], torch.tensor([4.0, 1.0, 1.0, 5.0]), atol=0.05, rtol=0)
    assert found["clipped"].tolist() == [0, 0, 0, 1]
    assert found["right"].tolist() == [1, 0, 1, 1]
    rows = {row.trait: row for row in trait_rows("toy", found, torch.tensor([False, True, True, False]))}
    assert rows["margin"].auc == 1
    assert rows["margin"].never == pytest.approx(4.5, abs=0.05)
    assert rows["margin"].never_half == pytest.approx(1.96 * 0.5**0.5 / 2**0.5, rel=0.05)
    assert rows["right"].falls == 0.5
    assert trait_rows("toy", found, torch.ones(4, dtype=torch.bool)) == [], "nobody to compare with"


def test_the_most_frequent_labels_of_those_that_never_fall() -> None:
    row = never_row("toy", ["a", "b"], torch.tensor([0, 1, 1, 1]), torch.tensor([True, False, False, True]), ("x", "y", "z"))
    assert row.never == Rate(2, 4)
    assert row.labels == ["y 2/3"]


def test_a_run_for_each_budget(network: Classifier) -> None:
    images = ImageSet("greys", grey(0.45, 0.48, 0.52, 0.9, 0.1, 0.47, 0.53, 0.51), ("",) * 8, tuple("abcdefgh"))
    made = list(limit_rows(network, images, images, Ball("linf", 0.1), [16, 64], 0))
    assert [row.image_gradients for row, _ in made] == [16, 64]
    row, pattern = made[-1]
    assert row.images == 8
    assert pattern.abs().max() <= 0.1 + 1e-6
    assert row.fooling_rate.total == 8
    assert row.fooling_rate.count >= 1
