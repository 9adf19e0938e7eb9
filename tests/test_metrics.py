from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from uap_core.metrics import (
    Rate,
    accidental_corrections,
    accuracy,
    dominance_ratio,
    fooling_rate,
    predict,
    psnr,
    ssim,
    top_k_accuracy,
)


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998), Table I, method 3 (score)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_as_published(count: int, total: int, low: float, high: float) -> None:
    assert Rate(count, total).interval == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@settings(max_examples=80, deadline=None)
@given(total=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilson_interval_solves_its_equation(total: int, share: float) -> None:
    """Its ends are the p0 for which |p - p0| is 1.96 standard errors of p0."""
    rate = Rate(round(share * total), total)
    for end in rate.interval:
        variance = 1.959963984540054**2 * end * (1 - end) / total
        assert (rate.value - end) ** 2 == pytest.approx(variance, abs=1e-12)
    low, high = rate.interval
    assert 0 <= low < high <= 1
    assert low - 1e-12 <= rate.value <= high + 1e-12


def test_rate_of_nothing() -> None:
    assert Rate(0, 0).value == 0
    assert Rate(0, 0).interval == (0, 1)


def test_rate_reads_as_a_sentence() -> None:
    assert str(Rate(3, 4)) == "75.0% (95 % interval 30.1% to 95.4%, 3 of 4)"


def test_fooling_rate_counts_changes_of_the_prediction() -> None:
    """Ground truth is (0, 1, 2, 3): the wrong but unchanged third image is not fooled, the fourth, put right, is."""
    clean, perturbed = torch.tensor([0, 1, 0, 0]), torch.tensor([0, 5, 0, 3])
    assert fooling_rate(clean, perturbed) == Rate(2, 4)
    assert fooling_rate(clean, clean) == Rate(0, 4)
    assert accuracy(clean, torch.arange(4)) == Rate(2, 4)
    assert accuracy(perturbed, torch.arange(4)) == Rate(2, 4)


def test_top_k_accuracy() -> None:
    logits = torch.tensor([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    truth = torch.tensor([0, 1, 0])
    assert [top_k_accuracy(logits, truth, k).count for k in (1, 2, 3, 5)] == [1, 2, 3, 3]


def test_predict_joins_batches_in_order_and_builds_no_graph() -> None:
    seen: list[bool] = []

    def network(batch: torch.Tensor) -> torch.Tensor:
        seen.append(torch.is_grad_enabled())
        return batch

    eye = torch.eye(5)
    assert predict(network, eye.split(2)).tolist() == [0, 1, 2, 3, 4]
    assert seen == [False] * 3
    assert predict(network, []).shape == (0,)


def test_psnr() -> None:
    black = np.zeros((8, 8, 3), np.uint8)
    assert psnr(black, black) == math.inf
    assert psnr(black, black + 255) == 0
    assert psnr(black, black + 10) == pytest.approx(20 * math.log10(25.5))
    assert psnr(black + 10, black) == psnr(black, black + 10)  # no wrap-around of 8-bit differences


def test_ssim() -> None:
    draw = np.random.default_rng(0)
    picture = draw.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    other = draw.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    slightly = np.clip(picture.astype(int) + draw.integers(-10, 11, picture.shape), 0, 255).astype(np.uint8)
    assert ssim(picture, picture) == pytest.approx(1)
    assert ssim(picture, slightly) == pytest.approx(ssim(slightly, picture))
    assert 1 > ssim(picture, slightly) > 0.9 > 0.2 > abs(ssim(picture, other))


def test_dominance_is_the_share_of_the_most_frequent_answers() -> None:
    labels = torch.tensor([7, 7, 7, 7, 2, 2, 2, 9, 9, 5])
    assert [dominance_ratio(labels, top) for top in (1, 3, 5)] == [Rate(4, 10), Rate(9, 10), Rate(10, 10)]
    assert dominance_ratio(torch.empty(0, dtype=torch.long)) == Rate(0, 0)


def test_corrections_are_counted_of_what_was_wrong() -> None:
    truth = torch.tensor([0, 1, 2, 3, 4])
    clean, perturbed = torch.tensor([0, 1, 0, 0, 0]), torch.tensor([1, 1, 2, 1, 4])
    assert accidental_corrections(clean, perturbed, truth) == Rate(2, 3)
