from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from uap_core.training import augment
from uap_core.training.augment import crop_and_flip, cutmix, jitter_colours


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int, side: int = 12, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, side, side, generator=seeded(seed))


def ramp(side: int = 32) -> Tensor:
    """Brightness is the position: from 0 at the left to 1 at the right."""
    return ((torch.arange(side) + 0.5) / side).expand(1, 3, side, side)


@pytest.mark.parametrize("share", [0.5, 0.4], ids=["as it is", "mirrored"])
def test_the_whole_picture_at_its_own_size_is_itself(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """Every draw in the middle of its range: all of the area, square, no shift; just below the middle: mirrored."""

    def draw(count: int, low: float, high: float, _: torch.Generator) -> Tensor:
        return torch.full((count,), low + (high - low) * (share if (low, high) == (0, 1) else 0.5))

    monkeypatch.setattr(augment, "_uniform", draw)
    x = pictures(4)
    expected = x if share == 0.5 else x.flip(3)
    torch.testing.assert_close(crop_and_flip(x, 12, 1.0, seeded(0)), expected, rtol=0, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 20), smallest=st.floats(0.05, 1), seed=st.integers(0, 999))
def test_crops_stay_in_the_picture(size: int, smallest: float, seed: int) -> None:
    x = pictures(3, seed=seed)
    x[0], x[1] = 0.25, x[1].round()
    out = crop_and_flip(x, size, smallest, seeded(seed))
    assert out.shape == (3, 3, size, size)
    assert -1e-6 <= out.min() <= out.max() <= 1 + 1e-6
    torch.testing.assert_close(out[0], torch.full_like(out[0], 0.25))


def test_about_half_of_the_crops_are_mirrored_and_none_is_too_small() -> None:
    crops = crop_and_flip(ramp().expand(400, 3, 32, 32), 32, 0.35, seeded(0))
    rises = (crops[:, 0, 0, -1] - crops[:, 0, 0, 0]) / (31 / 32)  # width of the crop, negative where mirrored
    assert 150 < (rises < 0).sum() < 250
    assert rises.abs().min() >= (0.35 * 3 / 4) ** 0.5 - 0.02
    assert rises.abs().max() <= 1.001
    assert rises.abs().std() > 0.05


@settings(max_examples=30, deadline=None)
@given(strength=st.floats(0, 1), seed=st.integers(0, 999))
def test_colours_stay_in_the_picture(strength: float, seed: int) -> None:
    x = pictures(3, seed=seed)
    out = jitter_colours(x, strength, seeded(seed))
    assert out.shape == x.shape
    assert 0 <= out.min() <= out.max() <= 1
    if strength == 0:
        torch.testing.assert_close(out, x)


def test_every_picture_gets_its_own_colours() -> None:
    x = pictures(1).expand(8, 3, 12, 12) * 0.5
    out = jitter_colours(x, 0.3, seeded(0))
    assert all(not torch.equal(out[0], other) for other in out[1:])


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 6), side=st.integers(1, 16), seed=st.integers(0, 9999))
def test_targets_are_the_areas(count: int, side: int, seed: int) -> None:
    """Picture i is painted with i / count: the share of each paint in a mixed picture must be its target."""
    paints = torch.arange(count) / count
    images = paints[:, None, None, None].expand(count, 3, side, side)
    mixed, targets = cutmix(images, torch.eye(count), seeded(seed))
    shares = torch.stack([(mixed == paint).float().mean(dim=(1, 2, 3)) for paint in paints], dim=1)
    torch.testing.assert_close(shares, targets, rtol=0, atol=1e-6)
    assert torch.equal(images, paints[:, None, None, None].expand(count, 3, side, side))


def test_what_is_pasted_comes_from_the_same_place() -> None:
    x = pictures(5)
    mixed, _ = cutmix(x, torch.eye(5), seeded(2))
    origins = torch.stack([(mixed == other).all(dim=1) for other in x])  # origins[j, i, y, x]: is it picture j there?
    assert origins.any(dim=0).all()
    assert not torch.equal(mixed, x)


@pytest.mark.parametrize(
    "augmentation",
    [
        lambda x, g: crop_and_flip(x, 8, 0.35, g),
        lambda x, g: jitter_colours(x, 0.3, g),
        lambda x, g: cutmix(x, F.one_hot(torch.arange(len(x))).float(), g)[0],
    ],
    ids=["crop", "colours", "cutmix"],
)
def test_the_generator_alone_decides(augmentation: Callable[[Tensor, torch.Generator], Tensor]) -> None:
    state = torch.get_rng_state()
    x = pictures(6)
    first, again, other = (augmentation(x, seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(state, torch.get_rng_state())
