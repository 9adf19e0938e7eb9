"""Networks of others in every precision: the answer of the same network in 32 bits, or a sentence."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from uap_core.attacks.deepfool import DeepFool
from uap_core.attacks.fgsm import FGSM
from uap_core.errors import ModelError
from uap_core.models.gradients import loss_gradient
from uap_core.models.wrapping import wrap

SIDE = 12
EPSILON = 8 / 255


@pytest.fixture(scope="module")
def module() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 5))
    return nn.Sequential(*layers).eval()


@pytest.fixture(scope="module")
def pictures() -> Tensor:
    return torch.rand(6, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


class Inside(nn.Module):
    """A network whose forward does what ``change`` says to pixels and scores."""

    def __init__(self, module: nn.Module, before: object = None, after: object = None) -> None:
        super().__init__()
        self.module, self.before, self.after = module, before or (lambda x: x), after or (lambda x: x)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.module(self.before(x)))


class Cast(nn.Module):
    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        return x.to(self.dtype)


def mixed(module: nn.Module, *between: nn.Module) -> nn.Module:
    """The first layers in 16 bits, the last in 32."""
    layers = copy.deepcopy(module)
    return nn.Sequential(*layers[:4].half(), *between, *layers[4:])


SAME = {
    "half": lambda module: copy.deepcopy(module).half(),
    "bfloat16": lambda module: copy.deepcopy(module).bfloat16(),
    "double": lambda module: copy.deepcopy(module).double(),
    "mixed with a cast": lambda module: mixed(module, Cast(torch.float32)),
    "scores in half": lambda module: Inside(module, after=Tensor.half),
    "in half, scripted": lambda module: torch.jit.script(copy.deepcopy(module).half()),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", SAME)
@pytest.mark.parametrize("given", [torch.float32, torch.float64])
def test_another_precision_gives_the_same_answers(kind: str, given: torch.dtype, module: nn.Module, pictures: Tensor) -> None:
    plain, other = wrap(module, size=SIDE), wrap(SAME[kind](module), size=SIDE)
    expected, found = plain(pictures), other(pictures.to(given))
    assert found.dtype in (torch.float32, torch.float64)
    assert torch.allclose(found.float(), expected, atol=2e-3)
    labels = expected.argmax(dim=1)
    slopes = (loss_gradient(network, pictures, labels).flatten(1).float() for network in (plain, other))
    assert torch.cosine_similarity(*slopes).min() > 0.99
    attacked = FGSM(EPSILON)(other, pictures.to(given), labels).adversarial
    assert (attacked - pictures).abs().max() <= EPSILON + 1e-6
    right = FGSM(EPSILON)(plain, pictures, labels).adversarial
    assert (plain(attacked.float()).argmax(1) == plain(right).argmax(1)).float().mean() > 0.8
    near = DeepFool()(other, pictures.to(given), labels).adversarial - pictures
    exact = DeepFool()(plain, pictures, labels).adversarial - pictures
    assert near.flatten(1).norm(dim=1) == pytest.approx(exact.flatten(1).norm(dim=1), rel=0.1)


def test_a_weight_stored_in_eight_bits_is_not_the_precision_of_the_pixels(module: nn.Module, pictures: Tensor) -> None:
    packed = Inside(module)
    packed.register_parameter("table", nn.Parameter(torch.ones(3).to(torch.float8_e4m3fn), requires_grad=False))
    assert torch.equal(wrap(packed, size=SIDE)(pictures), wrap(module, size=SIDE)(pictures))


def test_precisions_that_do_not_meet_are_named(module: nn.Module) -> None:
    with pytest.raises(ModelError, match=r"Sequential has weights of float16 and float32 .*as `module\.float\(\)`"):
        wrap(mixed(module), size=SIDE)


def test_a_gradient_that_sixteen_bits_round_to_zero_is_no_failed_attack(module: nn.Module, pictures: Tensor) -> None:
    sure = copy.deepcopy(module)
    labels = wrap(module, size=SIDE)(pictures).argmax(dim=1)
    with torch.no_grad():
        gaps = module(pictures).topk(2).values.diff(dim=1).abs()
        sure[5].weight *= 20 / gaps.max()
        sure[5].bias *= 20 / gaps.max()
    sharp = FGSM(EPSILON)(wrap(sure, size=SIDE), pictures, labels)
    assert (sharp.adversarial != pictures).flatten(1).any(dim=1).all()
    with pytest.raises(ModelError, match="16-bit numbers round the gradient to zero"):
        loss_gradient(wrap(sure.half(), size=SIDE), pictures, labels)


def test_a_network_that_writes_into_its_input_leaves_the_pictures_alone(module: nn.Module, pictures: Tensor) -> None:
    before = pictures.clone()
    changing = wrap(Inside(module, before=lambda x: x.sub_(0.5)), size=SIDE)
    assert torch.allclose(changing(pictures), module(before - 0.5), atol=1e-6)
    result = FGSM(EPSILON)(changing, pictures, changing(pictures).argmax(dim=1))
    assert (result.adversarial - before).abs().max() <= EPSILON + 1e-6
    assert torch.equal(pictures, before)
