"""Crafting without pictures: both methods against what they are said to do, and every door that leads to them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from toys import SIDE, VALUES, convolutional_network, pictures, seeded, smooth_network
from written_steps import WrittenSteps

import uap_core
from uap_core import Activations, Ball, Intrinsic
from uap_core.crafting.activations import loudness
from uap_core.crafting.menu import MENU, method_class
from uap_core.crafting.random_views import draw_views, seen
from uap_core.errors import DatasetError, SettingError
from uap_core.images.noise import coloured_noise
from uap_core.models.classifier import Classifier

LINF, L2 = Ball("linf", 10 / 255), Ball("l2", 0.5)
WITHOUT = [key for key, item in MENU.items() if not item.needs_images]


def crafted(method: uap_core.Crafter, network: nn.Module, ball: Ball = LINF, seed: int = 0) -> list[Tensor]:
    return [progress.perturbation for progress in method.craft(network, None, ball, seeded(seed))]


def linear_network(weight: Tensor) -> Classifier:
    layer = nn.Linear(VALUES, len(weight))
    with torch.no_grad():
        layer.weight.copy_(weight)
    return uap_core.wrap(nn.Sequential(nn.Flatten(), layer), size=SIDE)


def test_what_the_menu_says_of_images_is_true() -> None:
    assert WITHOUT == ["activations", "intrinsic"]
    assert all(item.needs_images == method_class(key).needs_images for key, item in MENU.items())


@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
def test_intrinsic_of_one_layer_is_its_right_singular_vector(ball: Ball) -> None:
    left, right = (torch.linalg.qr(torch.randn(n, 4, generator=seeded(n)))[0] for n in (6, VALUES))
    network = linear_network(left @ torch.diag(torch.tensor([5.0, 2.0, 1.0, 0.5])) @ right.T)
    v, worst = crafted(Intrinsic(), network, ball)[-1].flatten(), right[:, 0]
    expected = ball.radius * (worst.sign() if ball.p == "linf" else worst)
    expected = expected * (expected @ v).sign()  # a singular vector is one up to its sign
    if ball.p == "l2":
        torch.testing.assert_close(v, expected, atol=2e-3, rtol=0)
    else:
        assert bool((v == expected)[worst.abs() > 1e-3].all())


def test_intrinsic_of_two_layers_is_a_stationary_point_of_the_log_norms() -> None:
    """Of a network with a tanh, linearised at grey; both layers count."""
    network = smooth_network(0)
    first, second = network.network[1], network.network[3]
    slope = 1 - torch.tanh(first(torch.full((VALUES,), 0.5))) ** 2
    jacobians = [first.weight, second.weight @ (slope[:, None] * first.weight)]
    v = crafted(Intrinsic(depth=1.0), network, L2)[-1].flatten() / L2.radius
    steered = sum(j.T @ (j @ v) / (j @ v).square().sum() for j in jacobians)
    assert float(torch.cosine_similarity(steered, v, dim=0)) > 1 - 1e-4
    assert v.norm() == pytest.approx(1, rel=1e-4)
    alone = crafted(Intrinsic(depth=0.5), network, L2)[-1].flatten()
    assert (first.weight @ alone).norm() / L2.radius == pytest.approx(
        float(torch.linalg.matrix_norm(first.weight, 2)), rel=1e-3
    )


@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
def test_activations_climbs_the_log_norms_of_all_layers(ball: Ball) -> None:
    network, generator, method = smooth_network(1), seeded(0), Activations(budget=32, batch_size=4, tiles=1)
    first, second = network.network[1], network.network[3]
    written = WrittenSteps(ball, 0.1 * ball.random_signs((3, SIDE, SIDE), generator))
    steps = crafted(method, network, ball)
    for found in steps[:8]:
        v = written.v
        noise = seen(coloured_noise(4, (SIDE, SIDE), 1.0, generator), draw_views(4, 0.3, generator))
        own = (0.5 + v / (2 * written.unit)).clamp(0, 1).expand(4, -1, -1, -1)
        pictures_now = 0.5 * noise + 0.5 * seen(own, draw_views(4, 0.1, generator))
        leaf = v.clone().requires_grad_(True)
        hidden = first((pictures_now + leaf).clamp(0, 1).flatten(1))
        loud = sum((out**4).mean(dim=1).log() / 4 for out in (hidden, second(hidden.tanh()))) / 2
        (gradient,) = torch.autograd.grad(-loud.mean(), leaf)
        written.descend(gradient)
        torch.testing.assert_close(found, ball.project(written.v), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(steps[-1], ball.fill(written.v), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("key", WITHOUT)
def test_pictures_change_nothing_and_the_seed_decides(key: str) -> None:
    network, method = convolutional_network(), method_class(key)(budget=16)
    alone = uap_core.craft(network, method=method)
    measured = list(method.craft(network, pictures(5), LINF, seeded(0)))[-1]
    assert torch.equal(alone.pattern, measured.perturbation)
    assert measured.fooling_rate is not None
    assert measured.fooling_rate.total == 5
    assert alone.provenance["craft_set"] == "no images"
    assert not torch.equal(alone.pattern, uap_core.craft(network, method=method, seed=1).pattern)


@pytest.mark.parametrize("key", WITHOUT)
def test_a_stopped_run_goes_on(key: str, tmp_path: Path) -> None:
    method, state = method_class(key)(budget=16, interval=1), tmp_path / "run.state"
    whole = crafted(method, convolutional_network())
    run = method.craft(convolutional_network(), None, LINF, seeded(0), checkpoint=state)
    next(run)
    run.close()  # type: ignore[attr-defined]
    again = list(method.craft(convolutional_network(), None, LINF, seeded(0), checkpoint=state))
    assert torch.equal(again[-1].perturbation, whole[-1])


@pytest.mark.parametrize("key", WITHOUT)
def test_an_exported_program_gives_what_its_module_gives(key: str) -> None:
    module = convolutional_network().network
    program = torch.export.export(
        module, (torch.rand(4, 3, SIDE, SIDE),), dynamic_shapes=({0: torch.export.Dim("n")},)
    ).module()
    method = method_class(key)(budget=16)
    ours, theirs = (crafted(method, uap_core.wrap(kind, size=SIDE))[-1] for kind in (module, program))
    assert (ours - theirs).abs().mean() < 1e-3 * LINF.radius


@pytest.mark.parametrize("key", WITHOUT)
def test_what_cannot_be_done_is_said(key: str) -> None:
    method = method_class(key)(budget=8)
    no_layers = uap_core.wrap(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), size=SIDE)
    with pytest.raises(SettingError, match="no convolutions or fully connected layers"):
        crafted(method, no_layers)
    with pytest.raises(SettingError, match="which size they take"):
        crafted(method, nn.Sequential(nn.Flatten(), nn.Linear(VALUES, 3)))
    with pytest.raises(SettingError, match="Delta is a share of the images"):
        crafted(method_class(key)(budget=8, interval=8, delta=0.2), convolutional_network())
    with pytest.raises(DatasetError, match="crafts on images"):
        crafted(uap_core.SPGD(), convolutional_network())


def test_the_noise_falls_with_frequency_as_said() -> None:
    flat, steep = (coloured_noise(64, (32, 32), exponent, seeded(0)) for exponent in (0.0, 1.0))
    power = [torch.fft.rfft2(noise - 0.5).abs().square().mean(dim=(0, 1)) for noise in (flat, steep)]
    ratio = [float(p[4:6, 4:6].mean() / p[14:16, 14:16].mean()) for p in power]
    assert ratio[0] == pytest.approx(1, rel=0.2)
    assert ratio[1] == pytest.approx((14.5 / 4.5) ** 2, rel=0.25)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_loudness_and_its_gradient_are_those_of_the_formula(kind: torch.dtype, layout: torch.memory_format) -> None:
    maps = torch.randn(3, 5, 4, 6, generator=seeded(0)).to(kind).to(memory_format=layout).requires_grad_()
    flat = torch.randn(3, 7, generator=seeded(1)).to(kind).requires_grad_()
    found = loudness([maps, flat])
    written = torch.stack([a.double().flatten(1).norm(p=4, dim=1).log() - math.log(a[0].numel()) / 4 for a in (maps, flat)])
    torch.testing.assert_close(found.double(), written.mean(dim=0), rtol=1e-5, atol=1e-6)
    weights = torch.tensor([1.0, -2.0, 0.5])
    gradients = torch.autograd.grad((found * weights).sum(), (maps, flat))
    expected = torch.autograd.grad((written.mean(dim=0) * weights).sum(), (maps, flat))
    for mine, theirs in zip(gradients, expected, strict=True):
        assert mine.dtype == kind
        torch.testing.assert_close(mine, theirs, rtol=1e-5 if kind == torch.float32 else 1e-2, atol=1e-7)


def test_layers_that_are_silent_have_no_gradient() -> None:
    silent = torch.zeros(2, 3, 4, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(loudness([silent]).sum(), silent)
    assert not gradient.any()
