"""Drawn pictures: noise whose spectrum falls like that of photographs, for methods that have no photographs."""

from __future__ import annotations

import torch
from torch import Tensor

CONTRAST = 0.25  # standard deviation of a picture's values before they are cut off at black and white
TINT = 0.5  # standard deviation of the numbers that mix its three channels


def coloured_noise(count: int, shape: tuple[int, int], exponent: float, generator: torch.Generator) -> Tensor:
    """``count`` pictures of noise, float32 (count,3,H,W) in [0,1], whose amplitudes fall as 1 / frequency^``exponent``.

    0 is white noise, 1 is about the spectrum of photographs (Field, JOSA A 1987). The channels of each are mixed at random,
    so that some are nearly grey and some are colourful.
    """
    height, width = shape
    rows, columns = torch.fft.fftfreq(height), torch.fft.rfftfreq(width)
    frequency = (rows[:, None] ** 2 + columns**2).sqrt()
    frequency[0, 0] = torch.inf  # no mean: a picture is middle grey on average
    white = torch.randn(count, 3, height, width, generator=generator)
    noise = torch.fft.irfft2(torch.fft.rfft2(white) / frequency**exponent, s=shape)
    noise = noise / noise.std(dim=(2, 3), keepdim=True).clamp_min(1e-12)
    mixing = torch.eye(3) + TINT * torch.randn(count, 3, 3, generator=generator)
    return 0.5 + (CONTRAST * torch.einsum("nij,njhw->nihw", mixing, noise)).clamp(-0.5, 0.5)
