"""Bounds of single layers against the layers themselves: written out as matrices, or run."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from toys import seeded

from uap_core.bounds.layers import Convolution, matrix_norm, max_pool_bound, positive_bound

SLOW = settings(deadline=None, max_examples=30)


def circular(layer: Convolution) -> Callable[[Tensor], Tensor]:
    """The layer on its circle, with no Fourier in it: every window that runs over the end goes on at the beginning."""
    (_, _, kh, kw), (dh, dw) = layer.weight.shape, layer.dilation

    def run(x: Tensor) -> Tensor:
        around = F.pad(x, (0, (kw - 1) * dw, 0, (kh - 1) * dh), mode="circular")
        return F.conv2d(around, layer.weight.to(x), None, layer.stride, 0, layer.dilation, layer.groups)

    return run


def zero_padded(layer: Convolution) -> Callable[[Tensor], Tensor]:
    places = layer.stride, layer.padding, layer.dilation, layer.groups
    return lambda x: F.conv2d(x, layer.weight.to(x), None, *places)


def as_matrix(run: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> Tensor:
    return run(torch.eye(math.prod(shape)).double().view(-1, *shape)).flatten(1).T


def largest_by_power_method(run: Callable[[Tensor], Tensor], shape: tuple[int, ...], steps: int = 400) -> float:
    x = torch.randn((1, *shape), generator=seeded(0)).double()
    for _ in range(steps):
        x = (x / x.norm()).requires_grad_(True)
        norm = run(x).norm()
        (x,) = torch.autograd.grad(norm, x)
    return float(norm.detach())


@st.composite
def convolutions(draw: st.DrawFn) -> Convolution:
    groups, stride, kernel = draw(st.integers(1, 3)), draw(st.sampled_from([1, 2, 3, 4])), draw(st.integers(1, 4))
    padding, dilation = draw(st.integers(0, 2)), draw(st.integers(1, 2))
    side = draw(st.integers(max(1, (kernel - 1) * dilation + 1 - 2 * padding), 9))
    inputs, outputs = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    weight = torch.randn((outputs * groups, inputs, kernel, kernel), generator=seeded(draw(st.integers(0, 99))))
    if draw(st.booleans()):
        weight = weight.abs()  # the largest at the lowest frequency, as in many a trained layer
    weight = weight * draw(st.sampled_from([1.0, 1e-6, 1e5]))  # powers of these do not fit into 32 bits
    return Convolution(weight, (stride, stride), (padding, padding), (dilation, dilation), groups, (side, side))


@given(convolutions())
@SLOW
def test_the_fourier_value_is_the_norm_of_the_circular_layer(layer: Convolution) -> None:
    channels = layer.weight.shape[1] * layer.groups
    truth = float(torch.linalg.matrix_norm(as_matrix(circular(layer), (channels, *layer.circle)), 2))
    if layer.weight.shape[2] > 1:  # the circle of a 1x1 kernel is cut down to one frequency
        assert min(layer.circle) >= layer.size[0] + 2 * layer.padding[0]
    assert layer.circular_bound() == pytest.approx(truth, rel=1e-5)


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("groups", [1, 3])
def test_the_fourier_value_is_what_the_power_method_finds_on_the_circle(stride: int, groups: int) -> None:
    weight = torch.randn((12, 6 // groups, 5, 5), generator=seeded(stride))
    layer = Convolution(weight, (stride, stride), (2, 2), (1, 1), groups, (16, 16))
    assert layer.circular_bound() == pytest.approx(largest_by_power_method(circular(layer), (6, *layer.circle)), rel=1e-3)


@given(convolutions())
@SLOW
def test_zeros_around_never_exceed_the_circle_nor_the_power_method_the_layer(layer: Convolution) -> None:
    channels = layer.weight.shape[1] * layer.groups
    truth = float(torch.linalg.matrix_norm(as_matrix(zero_padded(layer), (channels, *layer.size)), 2))
    assert truth <= layer.circular_bound() * (1 + 1e-6)
    estimate = layer.real_norm(seeded(0))
    assert 0.9 * truth <= estimate <= truth * (1 + 1e-5)


def test_zeros_around_a_large_picture_cost_next_to_nothing() -> None:
    """The bound is close for layers as they are, and no number that merely is large enough."""
    layer = Convolution(torch.randn((8, 3, 3, 3), generator=seeded(0)), (2, 2), (1, 1), (1, 1), 1, (64, 64))
    assert layer.real_norm(seeded(1)) > 0.97 * layer.circular_bound()


def test_the_norm_of_a_matrix_is_its_largest_singular_value() -> None:
    for shape in ((7, 4), (4, 7)):
        matrix = torch.randn(shape, generator=seeded(0))
        assert matrix_norm(matrix) == pytest.approx(float(torch.linalg.svdvals(matrix)[0]), rel=1e-5)
    assert matrix_norm(torch.zeros(3, 2)) == 0


def test_overlapping_maxima_reach_their_bound_of_two() -> None:
    pool = torch.nn.MaxPool2d(3, 2)
    one = torch.zeros(1, 1, 7, 7)
    one[0, 0, 2, 2] = 1.0  # a corner of four windows
    assert float(pool(one).norm() / one.norm()) == max_pool_bound((3, 3), (2, 2)) == 2
    assert max_pool_bound((2, 2), (2, 2)) == 1
    assert max_pool_bound((3, 3), (1, 1)) == 3


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 99))
@SLOW
def test_no_two_pictures_exceed_the_bound_of_a_max_pool(kernel: int, stride: int, dilation: int, seed: int) -> None:
    draw = seeded(seed)
    x, y = torch.rand((2, 1, 2, 12, 12), generator=draw)
    y = torch.where(torch.rand((12, 12), generator=draw) < 0.1, y + 3, x)  # few pixels that win all their windows
    moved = F.max_pool2d(x, kernel, stride, 0, dilation) - F.max_pool2d(y, kernel, stride, 0, dilation)
    bound = max_pool_bound((kernel, kernel), (stride, stride), (dilation, dilation))
    assert float(moved.norm()) <= bound * float((x - y).norm()) * (1 + 1e-5)


@pytest.mark.parametrize(
    ("layer", "shape", "slack"),
    [
        (lambda x: F.avg_pool2d(x, 2), (1, 2, 6, 6), 1e-6),
        (lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), (1, 1, 7, 7), 0.3),
        (lambda x: x.mean(dim=(2, 3)), (1, 2, 5, 5), 1e-6),
        (lambda x: x[:, [0, 1, 0]], (1, 2, 3, 3), 1e-6),
        (lambda x: F.interpolate(x, size=(15, 15), mode="bilinear"), (1, 1, 12, 12), 0.2),
        (lambda x: F.adaptive_avg_pool2d(x, 3), (1, 1, 7, 7), 0.4),
    ],
    ids=["mean of 2x2", "ragged means", "mean of all", "a channel twice", "enlarging", "adaptive"],
)
def test_layers_without_negative_weights(layer: Callable[[Tensor], Tensor], shape: tuple[int, ...], slack: float) -> None:
    truth = float(torch.linalg.matrix_norm(as_matrix(layer, shape[1:]), 2))
    assert truth <= positive_bound(layer, shape) * (1 + 1e-9)
    assert positive_bound(layer, shape) <= truth * (1 + slack)
