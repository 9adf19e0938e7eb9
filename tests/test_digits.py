"""Drawn digits: what anyone may count on who trains on them."""

from __future__ import annotations

import pytest
import torch

from uap_core.datasets.digits import digit_set, draw
from uap_core.errors import SettingError


def test_digits_are_images_of_all_ten_classes() -> None:
    images, labels = draw(600, seed=3)
    assert images.shape == (600, 1, 28, 28)
    assert images.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert float(images.min()) == 0.0
    assert 0.9 < float(images.max()) <= 1.0
    assert labels.bincount(minlength=10).min() > 30


def test_a_shorter_draw_begins_alike_and_another_seed_differs() -> None:
    (many, of_many), (few, of_few) = draw(520, seed=0), draw(20, seed=0)
    assert torch.equal(many[:20], few)
    assert torch.equal(of_many[:20], of_few)
    assert not torch.equal(draw(20, seed=1)[0], few)
    assert len({picture.numpy().tobytes() for picture in many}) == 520, "no two are the same"


def test_each_digit_is_whole_and_can_be_told_from_the_others() -> None:
    """The nearest class mean of other draws reads most of them; no ink is cut off at the edge of most."""
    images, labels = draw(1000, seed=0)
    means = torch.stack([images[labels == digit].mean(0).flatten() for digit in range(10)])
    new, truth = draw(500, seed=1)
    assert (torch.cdist(new.flatten(1), means).argmin(1) == truth).float().mean() > 0.7
    edge = torch.cat([new[:, 0, 0], new[:, 0, -1], new[:, 0, :, 0], new[:, 0, :, -1]], 1)
    assert (edge.amax(1) > 0.2).float().mean() < 0.05


def test_digits_are_a_set_of_images() -> None:
    images = digit_set(8, seed=2)
    exact, labels = draw(8, seed=2)
    assert images.pixels.shape == (8, 3, 28, 28)
    assert torch.equal(images.truth(tuple("0123456789")), labels)
    assert (images.images()[:, :1] - exact).abs().max() <= 0.5 / 255 + 1e-6


def test_no_digit_is_refused() -> None:
    with pytest.raises(SettingError, match="At least one digit"):
        draw(0, seed=0)
