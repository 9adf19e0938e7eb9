"""The rewritten layers against the layers as they were."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torchvision_names import tv_models
from toys import seeded

from uap_core.models.fusion import fold_batch_norm
from uap_core.models.libraries import import_timm


def lived_in(network: nn.Module) -> nn.Module:
    """Batch norms as training leaves them, in evaluation mode."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean):
                nn.init.uniform_(tensor, -0.5, 1.5, generator=seeded(1))
            nn.init.uniform_(module.running_var, 0.5, 2.0, generator=seeded(2))
    return network.eval()


def assert_same(before: nn.Module, after: nn.Module, x: Tensor) -> None:
    """Equal outputs, and equal gradients at the input."""
    results = []
    for network in (before, after):
        image = x.clone().requires_grad_(True)
        out = network(image)
        results.append((out, torch.autograd.grad(out.square().sum(), image)[0]))
    for old, new in zip(*results, strict=True):
        torch.testing.assert_close(new, old, rtol=1e-4, atol=1e-4 * float(old.detach().abs().max()))


@pytest.mark.parametrize("architecture", ["resnet18", "mobilenet_v2", "densenet121"])
def test_folding_leaves_the_function_and_the_names_of_layers(architecture: str) -> None:
    torch.manual_seed(0)
    network = lived_in(tv_models.get_model(architecture, weights=None, num_classes=7))
    folded = fold_batch_norm(copy.deepcopy(network))
    assert_same(network, folded, torch.rand(2, 3, 64, 64, generator=seeded(3)))
    assert [name for name, _ in folded.named_modules()] == [name for name, _ in network.named_modules()]


def test_every_batch_norm_after_a_convolution_of_its_own_is_gone() -> None:
    for architecture, left in (("resnet18", 0), ("mobilenet_v2", 0), ("alexnet", 0)):
        network = fold_batch_norm(tv_models.get_model(architecture, weights=None))
        assert sum(isinstance(module, nn.BatchNorm2d) for module in network.modules()) == left


class Shared(nn.Module):
    """Its convolution's output is needed as it is, too."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolution(x)
        return x + self.norm(x)


class Branching(nn.Module):
    """Cannot be traced: its path depends on the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.convolution(x))
        return x if x.sum() > 0 else -x


class Twice(nn.Module):
    """One convolution, two batch norms, each after one of its uses."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm, self.other = nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.other(self.convolution(self.norm(self.convolution(x))))


class After(nn.Module):
    """One batch norm after two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.second, self.norm = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.second(self.norm(self.convolution(x))))


@pytest.mark.parametrize("kind", [Shared, Branching, Twice, After])
def test_what_cannot_be_folded_is_left_alone(kind: type[nn.Module]) -> None:
    network = lived_in(kind())
    folded = fold_batch_norm(copy.deepcopy(network))
    assert_same(network, folded, torch.rand(2, 3, 9, 9, generator=seeded(3)))
    assert isinstance(folded.norm, nn.BatchNorm2d)


# Of each way in which timm joins convolution, batch norm and activation one, and three without a batch norm at all.
ANY_SIDE = ("resnet18", "mobilenetv3_small_050", "regnetx_002", "densenet121", "ghostnet_100", "repvgg_a0", "convnext_atto")
TIMM = (*ANY_SIDE, "levit_128s", "efficientformerv2_s0", "vit_tiny_patch16_224", "pit_ti_224")


@pytest.mark.parametrize("architecture", TIMM)
def test_folding_leaves_the_function_of_timms_networks(architecture: str) -> None:
    torch.manual_seed(0)
    # Two pictures: of one, torch 2.13's batch norm hands back a wrong gradient where levit's tokens begin; folded, it is right.
    # In 64 bits: untrained, some have outputs and gradients so small that rounding is all that 32 bits would compare.
    network = lived_in(import_timm().create_model(architecture, pretrained=False, num_classes=7)).double()
    folded = fold_batch_norm(copy.deepcopy(network))
    side = 96 if architecture in ANY_SIDE else 224
    assert_same(network, folded, torch.rand(2, 3, side, side, generator=seeded(3)).double())
    left = [sum(isinstance(module, nn.BatchNorm2d) for module in each.modules()) for each in (network, folded)]
    assert left[1] < left[0] or left == [0, 0]
