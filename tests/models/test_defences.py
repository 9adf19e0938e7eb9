"""Defences: what goes in and out of each, and what its gradient is."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from toys import SIDE, convolutional_network, pictures, seeded

from uap_core.defences.defended import defended
from uap_core.defences.jpeg import TO_PLANES, smooth_codec
from uap_core.defences.transforms import DEFENCES, EXACT, STRAIGHT_THROUGH, BitDepth, Blur, CropAndResize, Defence, Jpeg
from uap_core.errors import ModelError, SettingError

EVERY = (*DEFENCES, BitDepth(1), Blur(0.5), CropAndResize(0.7))
EXACT_ONES = [defence for defence in EVERY if defence.gradient == EXACT]


def named(defence: Defence) -> str:
    return defence.name


def images(count: int = 4, side: int = 24, seed: int = 0) -> Tensor:
    return pictures(count, seed, side).float() / 255


@pytest.mark.parametrize("defence", EVERY, ids=named)
@given(seed=st.integers(0, 2**32 - 1), extreme=st.booleans())
@settings(max_examples=10, deadline=None)
def test_what_comes_out_is_a_picture(defence: Defence, seed: int, extreme: bool) -> None:
    x = torch.rand(2, 3, 16, 16, generator=seeded(seed))
    x = x.round() if extreme else x
    y = defence(x)
    assert y.shape == x.shape
    assert y.dtype == torch.float32
    assert 0 <= float(y.min()) <= float(y.max()) <= 1


@pytest.mark.parametrize("defence", EVERY, ids=named)
def test_same_picture_same_output_alone_or_among_others(defence: Defence) -> None:
    x = images()
    together = defence(x)
    torch.testing.assert_close(defence(x), together, rtol=0, atol=0)
    torch.testing.assert_close(torch.cat([defence(one[None]) for one in x]), together, rtol=0, atol=1e-6)


@pytest.mark.parametrize("defence", DEFENCES, ids=named)
def test_each_does_something(defence: Defence) -> None:
    assert float((defence(images()) - images()).abs().mean()) > 5 / 255


@pytest.mark.parametrize("defence", [BitDepth(8), Blur(0.0), Blur(1e-6), CropAndResize(1.0)], ids=named)
def test_at_no_strength_it_is_the_identity(defence: Defence) -> None:
    torch.testing.assert_close(defence(images()), images(), rtol=0, atol=0)


@pytest.mark.parametrize("quality", [20, 50, 75])
def test_jpeg_is_what_pillow_writes_and_reads(quality: int) -> None:
    pixels = pictures(3, 1, 24)
    seen = (Jpeg(quality)(pixels.float() / 255) * 255).round().byte()
    for picture, found in zip(pixels, seen, strict=True):
        stream = io.BytesIO()
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(stream, "JPEG", quality=quality)
        np.testing.assert_array_equal(found.permute(1, 2, 0).numpy(), np.asarray(Image.open(stream)))


def test_bit_depth_rounds_to_the_nearest_level() -> None:
    x = torch.tensor([0.0, 0.1, 0.17, 0.49, 0.51, 0.9, 1.0]).expand(1, 3, 1, 7)
    assert BitDepth(1)(x)[0, 0, 0].tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert BitDepth(2)(x)[0, 0, 0].tolist() == pytest.approx([0, 0, 1 / 3, 1 / 3, 2 / 3, 1, 1])


def test_blur_is_a_gaussian() -> None:
    dot = torch.zeros(1, 3, 25, 25)
    dot[..., 12, 12] = 1
    seen = Blur(2.0)(dot)[0, 1]
    place = torch.arange(25.0) - 12
    assert float(seen.sum()) == pytest.approx(1, abs=1e-5)
    assert float((seen.sum(0) * place).sum()) == pytest.approx(0, abs=1e-5)
    assert float((seen.sum(0) * place.square()).sum()) == pytest.approx(4, rel=0.05)
    torch.testing.assert_close(seen, seen.T)


def test_a_crop_shows_the_middle() -> None:
    across = torch.linspace(0, 1, 20).expand(1, 3, 20, 20)
    seen = CropAndResize(0.5)(across)[0, 0, 0]
    torch.testing.assert_close(seen[1:-1], (0.5 + (torch.arange(1, 19) - 9.5) / 2 / 19), rtol=0, atol=1e-5)


@pytest.mark.parametrize("defence", EXACT_ONES, ids=named)
def test_an_exact_gradient_is_that_of_finite_differences(defence: Defence) -> None:
    x = torch.rand(1, 3, 10, 10, generator=seeded(1), dtype=torch.float64).requires_grad_(True)
    assert torch.autograd.gradcheck(defence, (x,), eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("defence", [Blur(2.1), Blur(2.6)], ids=named)
def test_rounding_at_the_end_of_the_range_costs_no_slope(defence: Defence) -> None:
    """Of these two the weights add up to a little more than 1."""
    white = torch.ones(1, 3, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(defence(white).sum(), white)
    assert float(gradient.sum()) == pytest.approx(white.numel(), rel=1e-4)


@pytest.mark.parametrize("defence", [defence for defence in EVERY if defence.gradient == STRAIGHT_THROUGH], ids=named)
def test_straight_through_is_what_it_says(defence: Defence) -> None:
    x, weights = images().requires_grad_(True), torch.rand(4, 3, 24, 24, generator=seeded(2))
    y = defence(x)
    torch.testing.assert_close(y, defence(images()), rtol=0, atol=0)
    (gradient,) = torch.autograd.grad((y * weights).sum(), x)
    torch.testing.assert_close(gradient, weights, rtol=0, atol=0)


def test_the_smooth_model_has_the_gradient_that_it_claims() -> None:
    """Finite differences between the jumps of rounding: at a random picture no coefficient lies within 1e-6 of one."""
    x = torch.rand(1, 3, 16, 18, generator=seeded(3), dtype=torch.float64).requires_grad_(True)
    direction = torch.randn(x.shape, generator=seeded(4), dtype=torch.float64)
    weights = torch.randn(x.shape, generator=seeded(5), dtype=torch.float64)
    for quality in (30, 75):
        (gradient,) = torch.autograd.grad((smooth_codec(x, quality) * weights).sum(), x)
        with torch.no_grad():
            ahead, behind = (smooth_codec(x + sign * 1e-7 * direction, quality) for sign in (1, -1))
        slope = ((ahead - behind) * weights).sum() / 2e-7
        assert float(slope) == pytest.approx(float((gradient * direction).sum()), rel=1e-5)
        assert not torch.allclose(gradient, weights, atol=0.1), "it is not the identity"


def test_planes_are_those_of_pillow() -> None:
    pixels = pictures(1, 7, 24)[0]
    planes = (
        torch.einsum("ij,jhw->ihw", torch.tensor(TO_PLANES), pixels.float()) + torch.tensor([0.0, 128.0, 128.0])[:, None, None]
    )
    theirs = np.asarray(Image.fromarray(pixels.permute(1, 2, 0).numpy()).convert("YCbCr")).transpose(2, 0, 1)
    np.testing.assert_allclose(planes.numpy(), theirs, atol=1.01)


def test_the_smooth_model_is_near_the_codec() -> None:
    rough = F.interpolate(torch.rand(2, 3, 4, 4, generator=seeded(6)), (32, 40), mode="bicubic").clamp(0, 1)
    for quality in (50, 90):
        difference = (smooth_codec(rough, quality) - Jpeg(quality)(rough)).abs()
        assert float(difference.mean()) < 3 / 255
        assert float((Jpeg(quality)(rough) - rough).abs().mean()) > 0


def test_a_jpeg_is_the_codec_forwards_and_the_model_backwards() -> None:
    x, weights = images().requires_grad_(True), torch.rand(4, 3, 24, 24, generator=seeded(2))
    y = Jpeg(50)(x)
    assert Jpeg(50)(x[:0]).shape == x[:0].shape
    torch.testing.assert_close(y, Jpeg(50)(images()), rtol=0, atol=0)
    (gradient,) = torch.autograd.grad((y * weights).sum(), x)
    (modelled,) = torch.autograd.grad((smooth_codec(x, 50) * weights).sum(), x)
    torch.testing.assert_close(gradient, modelled)
    assert float(gradient.abs().max()) > 0


@pytest.mark.parametrize("defence", DEFENCES, ids=named)
def test_a_defended_network_is_a_classifier(defence: Defence) -> None:
    network = convolutional_network()
    behind = defended(network, defence)
    x = images(side=SIDE)
    torch.testing.assert_close(behind(x), network(defence(x)))
    assert behind.card.name == f"Convolutional behind {defence.name}"
    assert behind.card.key != network.card.key
    assert (behind.labels, behind.class_ids, behind.size) == (network.labels, network.class_ids, network.size)
    assert not any(parameter.requires_grad for parameter in behind.parameters())
    assert not any(module.training for module in behind.modules())
    with pytest.raises(ModelError):
        behind.train()
    x = x.requires_grad_(True)
    (gradient,) = torch.autograd.grad(F.cross_entropy(behind(x), torch.zeros(4, dtype=torch.long)), x)
    assert float(gradient.abs().max()) > 0


@pytest.mark.parametrize(
    ("kind", "strength"),
    [(Jpeg, 0), (Jpeg, 96), (BitDepth, 0), (BitDepth, 9), (Blur, -1.0), (Blur, math.nan), (CropAndResize, 0.0)],
)
def test_strengths_out_of_range_are_refused(kind: type[Defence], strength: float) -> None:
    with pytest.raises(SettingError):
        kind(strength)  # type: ignore[call-arg]
