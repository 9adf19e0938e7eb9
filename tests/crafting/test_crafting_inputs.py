"""What methods take: any module, rectangles, floats, and whatever grad mode they are called in."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from toys import SIDE, VALUES, convolutional_network, pictures, seeded, smooth_network

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.base import Crafter, Progress
from uap_core.crafting.default import Default
from uap_core.crafting.detector_aware import Unnoticed
from uap_core.crafting.menu import MENU as METHODS
from uap_core.crafting.menu import method_class
from uap_core.crafting.spgd import SPGD
from uap_core.errors import PerturbationError, SettingError
from uap_core.metrics import Rate
from uap_core.models.wrapping import wrap
from uap_core.norms import Ball

HEIGHT, WIDTH = 6, 10
BALL = Ball("linf", 0.1)
EVERY: dict[str, Crafter] = {key: method_class(key)(budget=64) for key in METHODS} | {
    "unnoticed": Unnoticed(budget=64),
    "sga": method_class("sga")(budget=64, batch_size=8, passes=1),
}
every = pytest.mark.parametrize("method", EVERY.values(), ids=EVERY)


def last(method: Crafter, network: object, images: Tensor, ball: Ball = BALL, criterion: Criterion | None = None) -> Progress:
    (end,) = deque(method.craft(network, images, ball, seeded(0), criterion=criterion), maxlen=1)
    return end


def any_size() -> nn.Module:
    """Takes images of any size, in training mode, with dropout that shows whether it was asked as it is."""
    conv = nn.Conv2d(3, 6, 3, padding=1)
    with torch.no_grad():
        conv.weight.copy_(torch.randn(conv.weight.shape, generator=seeded(5)))
        conv.bias.zero_()
    return nn.Sequential(conv, nn.Tanh(), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1), nn.Flatten()).train()


@every
def test_a_bare_module_is_crafted_on_as_a_classifier_is(method: Crafter) -> None:
    network, images = convolutional_network(), pictures(16)
    assert torch.equal(last(method, network, images).perturbation, last(method, network.network, images).perturbation)


@every
def test_patterns_are_rectangles_where_images_are(method: Crafter) -> None:
    module = any_size()
    images = torch.randint(0, 256, (16, 3, HEIGHT, WIDTH), generator=seeded(1), dtype=torch.uint8)
    end = last(method, module, images)
    assert end.perturbation.shape == (3, HEIGHT, WIDTH)
    assert not end.perturbation.requires_grad
    assert 0 < float(end.perturbation.abs().max()) <= BALL.radius + 1e-6
    assert all(part.training for part in module.modules())
    assert all(weight.requires_grad and weight.grad is None for weight in module.parameters())


@every
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_grad_mode_does_not_matter(method: Crafter, mode) -> None:
    network, images = convolutional_network(), pictures(16)
    usual = last(method, network, images)
    with mode():
        assert torch.equal(last(method, network, pictures(16)).perturbation, usual.perturbation)


def test_floats_are_the_same_pictures_as_bytes() -> None:
    network, images = smooth_network(0), pictures(16)
    usual = last(SPGD(budget=64), network, images)
    assert torch.equal(last(SPGD(budget=64), network, images.float() / 255).perturbation, usual.perturbation)


@pytest.mark.parametrize("images", [pictures(2).float(), pictures(2).long(), pictures(2).float() / 255 - 0.5])
def test_other_numbers_are_refused(images: Tensor) -> None:
    with pytest.raises(SettingError, match=r"from 0 to 1|between 0 and 1"):
        last(SPGD(), smooth_network(0), images)


def test_a_bare_module_has_the_targets_that_it_gives_scores_for() -> None:
    network = smooth_network(0)
    assert last(SPGD(budget=64), network.network, pictures(16), criterion=Criterion.into(4)).target_rate is not None
    with pytest.raises(SettingError, match="no class 5"):
        last(SPGD(), network.network, pictures(16), criterion=Criterion.into(5))


@pytest.mark.parametrize("method", [SPGD(budget=400), Default(budget=400)], ids=["spgd", "default"])
def test_on_a_linear_network_the_pattern_is_the_known_one(method: Crafter) -> None:
    """Two classes, logits w.x and 0, all images of the first: v = -epsilon sign(w) lowers w.(x + v) most."""
    w = torch.randn(VALUES, generator=seeded(3)) / 2
    linear = nn.Linear(VALUES, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.stack([w, torch.zeros_like(w)]))
        linear.bias.copy_(torch.stack([3 - w.sum() * 128 / 255, torch.zeros(())]))
    images = torch.full((8, 3, SIDE, SIDE), 128, dtype=torch.uint8)
    end = last(method, nn.Sequential(nn.Flatten(), linear), images)
    assert end.fooling_rate == Rate(8, 8)
    same = end.perturbation.sign() == -w.sign().view(3, SIDE, SIDE)
    assert float(same.float().mean()) > 0.99
    assert float((end.perturbation.abs() - BALL.radius).abs().max()) < 1e-6


def test_a_checkpoint_of_a_module_that_has_learnt_since_is_another_run(tmp_path: Path) -> None:
    module, images, path = smooth_network(0).network, pictures(16), tmp_path / "run.state"
    deque(SPGD(budget=32).craft(module, images, BALL, seeded(0), checkpoint=path))
    deque(SPGD(budget=32).craft(wrap(module), images, BALL, seeded(0), checkpoint=path))
    with torch.no_grad():
        module[1].weight.mul_(1.5)
    with pytest.raises(PerturbationError, match="another run"):
        deque(SPGD(budget=32).craft(module, images, BALL, seeded(0), checkpoint=path))
