"""Where networks compute. What needs a second device is tried on CUDA, and skipped where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from uap_core.crafting.default import Default
from uap_core.crafting.problem import Problem
from uap_core.datasets.image_sets import open_splits
from uap_core.errors import SettingError
from uap_core.metrics import predict
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.models.device import chosen_device, device_name
from uap_core.models.loaders import load
from uap_core.models.weights import file_hash
from uap_core.models.zoo import Zoo
from uap_core.norms import Ball
from uap_core.training.loop import train
from uap_core.training.opponents import EachImage, LearningPattern, Opponent, Pool
from uap_core.training.recipe import Recipe

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no CUDA device on this machine.")


class Tinted(nn.Module):
    """A network with a constant of its own, which torch.export stores as a plain tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3 * 8 * 8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear((x * torch.tensor([1.0, 0.5, 0.25])[:, None, None]).flatten(1))


def test_networks_compute_on_the_processor_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UAP_DEVICE", raising=False)
    assert (chosen_device().type, device_name()) == ("cpu", "cpu")


@pytest.mark.parametrize("named", ["warp", "cuda:99"])
def test_a_device_that_is_not_there_is_a_sentence(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UAP_DEVICE", named)
    with pytest.raises(SettingError, match=f"UAP_DEVICE names '{named}'.*Unset it"):
        Zoo().load("resnet64")


def test_an_exported_program_moves_with_its_constants(tmp_path: Path) -> None:
    path = tmp_path / "tinted.pt2"
    batch = torch.export.Dim("batch", min=1, max=64)
    torch.export.save(torch.export.export(Tinted().eval(), (torch.rand(2, 3, 8, 8),), dynamic_shapes=({0: batch},)), path)
    card = Card(
        key="tinted",
        name="tinted",
        kind="exported",
        folder=tmp_path,
        weights=path.name,
        sha256=file_hash(path),
        input_size=8,
        resize_size=8,
        licence="",
        source="",
        classes=[{"name": name} for name in "abcd"],
    )
    moved = load(card).to("meta")
    assert moved.device.type == "meta"
    assert moved(torch.zeros(2, 3, 8, 8, device="meta")).device.type == "meta"  # a constant left behind would raise


@needs_cuda
def test_cuda_says_what_the_processor_says(classifier: Classifier, dreams: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UAP_DEVICE", "cuda")
    there = Zoo().load("resnet64")
    assert there.device.type == "cuda"
    assert device_name() == torch.cuda.get_device_name()
    craft, held_out = open_splits(dreams, 64, 64)
    ours, theirs = (classifier(batch) for batch in held_out.batches(64)), (there(batch) for batch in held_out.batches(64))
    for one, other in zip(ours, theirs, strict=True):
        assert other.device.type == "cpu"
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)
    rates = []
    for network in (classifier, there):
        method, generator = Default(budget=800), torch.Generator().manual_seed(0)
        *_, last = method.craft(network, craft.pixels, Ball("linf", 10 / 255), generator)
        assert last.perturbation.device.type == "cpu"
        rates.append(Problem.pose([network], held_out.pixels, Ball("linf", 10 / 255)).rate(last.perturbation).value)
    assert rates[0] == pytest.approx(rates[1], abs=0.06)
    assert torch.equal(predict(classifier, held_out.batches(64)), predict(there, held_out.batches(64)))


@needs_cuda
@pytest.mark.parametrize(
    "opponent", [EachImage(0.02, 0.5), LearningPattern(0.02, 0.5, 16), Pool(torch.full((2, 3, 16, 16), 0.02), 0.5)]
)
def test_training_on_cuda(opponent: Opponent, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)).cuda()
    images = torch.cat([torch.full((64, 3, 16, 16), 40), torch.full((64, 3, 16, 16), 200)]).byte()
    labels = torch.arange(2).repeat_interleave(64)
    recipe = Recipe(epochs=4, batch_size=32, size=16, small_size=16, large_size=16, mix_chance=0.0, average_decay=0.5)
    plan = replace(recipe, epsilon=0.02)
    *_, last = train(network, (images, labels), (images, labels), plan, tmp_path / "a.ckpt", opponent)
    assert last.top1 > 0.9
