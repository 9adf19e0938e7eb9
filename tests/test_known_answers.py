"""Known answers for formulas of pictures and rates, each worked out beside the code."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from toys import seeded

from uap_core.images.reading import open_image, preprocess
from uap_core.metrics import Rate, ssim, target_rate
from uap_core.norms import Ball


@pytest.mark.parametrize(("gamma", "level"), [(1.0, 188), (0.6, 153), (0.25, 71)])
def test_a_pngs_gamma_is_taken_off_before_srgbs_is_put_on(gamma: float, level: int) -> None:
    """Stored 128 with gamma g is the light (128/255)^(1/g), whose sRGB level is 255 (1.055 light^(1/2.4) - 0.055)."""
    stream = BytesIO()
    Image.new("RGB", (4, 4), (128, 128, 128)).save(stream, "PNG")
    data, body = stream.getvalue(), b"gAMA" + struct.pack(">I", round(gamma * 100_000))
    data = data[:33] + struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]
    found = open_image(data).getpixel((0, 0))
    light = (128 / 255) ** (1 / gamma)
    assert round(255 * (1.055 * light ** (1 / 2.4) - 0.055)) == level
    assert found == (level,) * 3


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_pictures_are_resized_by_the_interpolation_that_was_asked_for(interpolation: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    by_pillow = Image.fromarray(noise).resize((16, 16), getattr(Image.Resampling, interpolation.upper()))
    found = (preprocess(Image.fromarray(noise), 16, 16, interpolation)[0] * 255).round().permute(1, 2, 0).numpy()
    assert np.array_equal(found, np.asarray(by_pillow))


@pytest.mark.parametrize("ball", [Ball("linf", 10 / 255), Ball("l2", 2.0)])
def test_gaussian_noise_is_as_long_as_the_random_signs(ball: Ball) -> None:
    shape = (3, 16, 12)
    noise, signs = ball.gaussian(shape, seeded(0)), ball.random_signs(shape, seeded(0))
    assert float(noise.norm()) == pytest.approx(float(signs.norm()), rel=1e-4)
    if ball.p == "linf":
        assert float(noise.square().mean().sqrt()) == pytest.approx(ball.radius, rel=1e-4)


def test_an_image_that_was_at_the_target_before_counts_neither_above_nor_below() -> None:
    before, after = torch.tensor([1, 1, 0, 2, 3]), torch.tensor([1, 0, 1, 2, 1])
    assert target_rate(before, after, 1) == Rate(2, 3)
    assert target_rate(torch.tensor([1, 1]), torch.tensor([1, 1]), 1) == Rate(0, 0)


@pytest.mark.parametrize("side", [16, 6, 3])
@pytest.mark.parametrize(("one", "other"), [(100, 110), (10, 200), (0, 255)])
def test_ssim_of_even_greys(one: int, other: int, side: int) -> None:
    """Without structure only the luminance term is left: (2ab + C) / (a^2 + b^2 + C), C = (0.01 * 255)^2."""
    pictures = [np.full((side, 16, 3), level, dtype=np.uint8) for level in (one, other)]
    constant = (0.01 * 255) ** 2
    assert ssim(*pictures) == pytest.approx((2 * one * other + constant) / (one**2 + other**2 + constant), abs=1e-4)
