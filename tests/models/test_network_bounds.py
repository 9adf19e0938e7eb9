"""The bound of whole networks: never below any ratio that can be found, and exact where the parts say so."""

from __future__ import annotations

import math
from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from toys import seeded

from uap_core.bounds.network import Layer, layers
from uap_core.bounds.trace import record
from uap_core.errors import ModelError
from uap_core.models.classifier import IMAGENET_STD, Classifier, Enlarge, Normalise

SIDE = 8


class Function(nn.Module):
    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def bound_of(network: nn.Module, side: int = SIDE) -> float:
    return list(layers(network.eval(), side))[-1].running


def steepest(network: nn.Module, seed: int, side: int = SIDE, steps: int = 12) -> float:
    """The largest ratio that random pairs and an ascent of the ratio from each of them find."""
    x = torch.rand((6, 3, side, side), generator=seeded(seed))
    change = torch.randn(x.shape, generator=seeded(seed + 1)) * 10.0 ** -torch.arange(6).view(-1, 1, 1, 1).div(2)
    found = 0.0
    for _ in range(steps):
        change = change.detach().requires_grad_(True)
        ratio = (network(x + change) - network(x)).flatten(1).norm(dim=1) / change.flatten(1).norm(dim=1)
        found = max(found, float(ratio.max()))
        (slope,) = torch.autograd.grad(ratio.sum(), change)
        length = change.detach().flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        change = change.detach() + 0.5 * length * slope / slope.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)
    return found


@pytest.mark.parametrize(
    ("function", "truth"),
    [
        (lambda x: x + x, 2),
        (lambda x: x - 0.5 + x.mean(dim=(2, 3), keepdim=True), 2),  # what is repeated over the picture counts fully
        (lambda x: torch.cat([x, x.relu(), x], dim=1), math.sqrt(3)),
        (lambda x: F.max_pool2d(x, 3, 2, 1), 2),
        (lambda x: F.avg_pool2d(x, 2), 0.5),
        (lambda x: x.mean(dim=(2, 3)), 1 / SIDE),
        (lambda x: 255 * x[:, [2, 1, 0]], 255),
        (lambda x: F.relu6(F.pad(x, (1, 2, 1, 0))).flatten(1), 1),
        (lambda x: (1 - x) / torch.tensor([2.0, 0.5, 1.0]).view(1, 3, 1, 1), 2),
        (lambda x: x.unsqueeze(1).expand(1, 4, 3, SIDE, SIDE), 2),
        (lambda x: torch.cat(x.split(1, dim=1), dim=1), math.sqrt(3)),
    ],
    ids=[
        "twice",
        "mean put back",
        "side by side",
        "max",
        "average",
        "mean",
        "bgr",
        "same",
        "scale",
        "copies",
        "cut",
    ],
)
def test_known_answers(function, truth: float) -> None:
    assert bound_of(Function(function)) == pytest.approx(truth, rel=1e-6)


def test_what_is_added_several_times_counts_so_often() -> None:
    assert 4 <= bound_of(Function(lambda x: torch.add(x, x, alpha=-3))) <= 6
    assert 4 <= bound_of(Function(lambda x: torch.rsub(x, x.relu(), alpha=3))) <= 6


def test_the_normalisation_of_the_input_counts() -> None:
    """With changes of the third colour alone the bound is reached."""
    assert bound_of(Normalise()) == pytest.approx(1 / min(IMAGENET_STD), rel=1e-6)
    head = nn.Linear(3 * SIDE * SIDE, 5)
    bound = bound_of(nn.Sequential(Normalise(), nn.Flatten(), head))
    assert bound == pytest.approx(float(torch.linalg.svdvals(head.weight.detach())[0]) / min(IMAGENET_STD), rel=1e-5)


def with_statistics(norm: nn.BatchNorm2d, seed: int) -> nn.BatchNorm2d:
    with torch.no_grad():
        norm.weight.copy_(torch.randn(norm.weight.shape, generator=seeded(seed)))
        norm.running_var.copy_(0.1 + torch.rand(norm.running_var.shape, generator=seeded(seed + 1)))
    return norm


def test_a_batch_norm_counts_with_the_convolution_before_it_and_alone_where_there_is_none() -> None:
    convolution, norm = nn.Conv2d(3, 4, 1), with_statistics(nn.BatchNorm2d(4), 0)
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    joint = float(torch.linalg.svdvals((scale[:, None] * convolution.weight[:, :, 0, 0]).detach())[0])
    found = list(layers(nn.Sequential(convolution, norm).eval(), SIDE))
    assert [layer.kind for layer in found] == ["convolution_batch_norm", "whole"]
    assert found[-1].running == pytest.approx(joint, rel=1e-5)
    between = nn.Sequential(convolution, nn.ReLU(inplace=True), norm)
    assert bound_of(between) == pytest.approx(
        float(torch.linalg.svdvals(convolution.weight[:, :, 0, 0])[0]) * float(scale.abs().max()), rel=1e-5
    )


class Random(nn.Module):
    """A few layers of every kind, drawn from a seed: a stem, a residual block, branches side by side, a head."""

    def __init__(self, seed: int, activation: nn.Module, pool: nn.Module, stride: int, side: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride, 1)
        self.norm = nn.BatchNorm2d(6)
        self.block = nn.Sequential(nn.Conv2d(6, 6, 3, 1, 1, groups=3), activation, nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6))
        self.left, self.right = nn.Conv2d(6, 2, 1), nn.Conv2d(6, 3, 3, 1, 2, dilation=2)
        self.pool, self.activation = pool, activation
        self.head = nn.LazyLinear(4)
        self(torch.zeros(2, 3, side, side))
        with torch.no_grad():
            for number, parameter in enumerate(self.parameters()):
                parameter.copy_(0.4 * torch.randn(parameter.shape, generator=seeded(100 * seed + number)))
        for number, layer in enumerate(self.modules()):
            if isinstance(layer, nn.BatchNorm2d):
                with_statistics(layer, 100 * seed + number)

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.norm(self.stem(x)))
        x = x + self.block(x)
        x = torch.cat([self.left(x), self.activation(self.right(x))], dim=1)
        return self.head(self.pool(x).flatten(1))


@given(
    st.integers(0, 10_000),
    st.sampled_from([nn.ReLU(), nn.ReLU6(), nn.SiLU(), nn.GELU(), nn.Hardswish(), nn.Tanh(), nn.Sigmoid(), nn.Hardsigmoid()]),
    st.sampled_from([nn.MaxPool2d(3, 2), nn.MaxPool2d(2), nn.AvgPool2d(3, 1, 1), nn.AdaptiveAvgPool2d(3), nn.Dropout()]),
    st.sampled_from([1, 2]),
    st.sampled_from([None, 11]),
)
@settings(deadline=None, max_examples=20)
def test_no_pair_of_pictures_exceeds_the_bound(seed: int, activation, pool, stride: int, enlarged: int | None) -> None:
    enlarge = [Enlarge(enlarged)] if enlarged else []
    network = nn.Sequential(Normalise(), *enlarge, Random(seed, activation, pool, stride, enlarged or SIDE)).eval()
    assert steepest(network, seed) <= bound_of(network) * (1 + 1e-4)


def unknown(network: nn.Module) -> Layer:
    found = list(layers(network, SIDE))
    assert found[-1].running == math.inf
    layer = next(layer for layer in reversed(found) if layer.note)
    assert layer.bound == math.inf
    return layer


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: x * x.sigmoid(), "mul takes two things that depend on the picture"),
        (lambda x: x / (1 + x.abs()), "div takes two things"),
        (lambda x: x.flatten(2) @ x.flatten(2).transpose(1, 2), "bmm takes two things"),
        (lambda x: x.exp(), "'exp'"),
        (lambda x: 1 / x, "'reciprocal'"),
        (lambda x: torch.div(x, 2, rounding_mode="floor"), "'div'"),
        (lambda x: F.conv_transpose2d(x, torch.ones(3, 1, 2, 2)), "'convolution'"),
        (lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"), "'reflection_pad2d'"),
        (lambda x: F.batch_norm(x, None, None, training=True), "'native_batch_norm'"),
        (lambda x: x.clone().flatten().mul_(2.0), "'mul'"),
    ],
)
def test_what_has_no_known_bound_is_named_and_nothing_is_claimed(function, words: str) -> None:
    assert words in unknown(Function(function)).reason


def test_the_layers_beyond_an_unknown_one_still_have_their_own_bounds() -> None:
    network = nn.Sequential(Function(lambda x: x.exp()), nn.Conv2d(3, 4, 3))
    found = list(layers(network, SIDE))
    assert [layer.label for layer in found] == ["exp 1", "1", "logits"]
    assert 0 < (found[1].bound or 0) < math.inf
    assert found[1].running == math.inf


def test_after_a_layer_of_zeros_nothing_depends_on_the_picture() -> None:
    silent = nn.Conv2d(3, 4, 3)
    nn.init.zeros_(silent.weight)
    assert bound_of(nn.Sequential(Function(lambda x: x.exp()), silent)) == 0


def test_layers_carry_the_names_of_their_weights(classifier: Classifier) -> None:
    found = list(islice(layers(classifier.network, classifier.size), 4))
    assert [layer.kind for layer in found] == ["normalisation", "enlarging", "convolution", "convolution"]
    assert [layer.label for layer in found] == ["normalisation 1", "enlarging 1", "features.0", "features.3.conv1"]
    assert (found[2].shape, found[2].stride) == ("32 x 3 x 3 x 3", "2 x 2")
    assert found[3].running == pytest.approx(math.prod(layer.bound or 0 for layer in found))


def branching(x: Tensor) -> Tensor:
    return x + 1 if x.sum() > 0 else x


def written(x: Tensor) -> Tensor:
    page = torch.zeros(1, 6, SIDE, SIDE)
    page[:, :3] = x
    return page


@pytest.mark.parametrize(("function", "operation"), [(branching, "_local_scalar_dense"), (written, "copy_")])
def test_what_cannot_be_followed_is_refused(function, operation: str) -> None:
    with pytest.raises(ModelError, match=operation):
        list(layers(Function(function), SIDE))


def test_a_network_that_ignores_the_picture_is_refused() -> None:
    with pytest.raises(ModelError, match="traced back"):
        list(layers(Function(lambda x: torch.ones(1, 5)), SIDE))


def test_recording_changes_nothing_and_sees_through_layers_that_overwrite() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 36, 2)).eval()
    x = torch.rand((1, 3, SIDE, SIDE), generator=seeded(0))
    before = network(x)
    with torch.inference_mode():
        tape = record(network, torch.zeros(1, 3, SIDE, SIDE))
    assert [operation.name for operation in tape.operations] == ["convolution", "relu", "view", "addmm"]
    assert tape.result is tape.operations[-1]
    assert torch.equal(network(x), before)
