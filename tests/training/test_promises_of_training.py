"""What the training promises: boxes of all sizes, crops of other shapes, averaged weights, and what does not decay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from toys import pictures, seeded

from uap_core.training.augment import crop_and_flip, cutmix
from uap_core.training.loop import train
from uap_core.training.recipe import Recipe

RECIPE = Recipe(
    epochs=2, batch_size=8, peak_rate=0.5, mix_chance=0.0, size=8, small_size=8, large_size=8, view_size=0, weight_decay=0.1
)


def test_boxes_of_cutmix_are_of_all_sizes_and_labels_follow_their_area() -> None:
    images, labels = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 3, 16, 16), torch.eye(6)
    shares = []
    for seed in range(30):
        mixed, soft = cutmix(images, labels, seeded(seed))
        for i in range(6):
            kept = float((mixed[i, 0] == i).double().mean())
            assert abs(float(soft[i, i]) - kept) < 1e-5
        shares.append(min(float((mixed[i, 0] == i).double().mean()) for i in range(6)))
    assert min(shares) < 0.3 < 0.7 < max(shares)


def test_crops_are_wider_and_higher_than_square() -> None:
    across, down = torch.meshgrid(torch.linspace(0, 1, 32), torch.linspace(0, 1, 32), indexing="xy")
    image = torch.stack([across, down, down]).expand(64, 3, 32, 32)
    cropped = crop_and_flip(image, 32, 0.3, seeded(0))
    width, height = ((cropped[:, i].amax(dim=(1, 2)) - cropped[:, i].amin(dim=(1, 2))) for i in (0, 1))
    assert ((width / height) > 1.1).sum() > 10
    assert ((width / height) < 0.9).sum() > 10


class Watched(nn.Module):
    """A linear classifier beside two parameters without a slope: all that can move them is decay."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3 * 8 * 8, 2)
        self.scale, self.matrix = nn.Parameter(torch.ones(4)), nn.Parameter(torch.ones(4, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x.flatten(1)) + 0 * self.scale.sum() + 0 * self.matrix.sum()


def trained(recipe: Recipe, folder: Path) -> tuple[Watched, Tensor]:
    torch.manual_seed(0)
    network, parts = Watched(), (pictures(16), torch.arange(16) % 2)
    before = network.head.weight.detach().clone()
    list(train(network, parts, parts, recipe, folder / "some.ckpt"))
    return network, (network.head.weight.detach() - before).norm()


def test_the_averaged_weights_are_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    _, far = trained(replace(RECIPE, average_decay=0.0), tmp_path)
    _, near = trained(replace(RECIPE, average_decay=0.9999), tmp_path / "a")
    assert 0 < near < 0.01 * far


def test_matrices_decay_and_scales_do_not(tmp_path: Path) -> None:
    network, _ = trained(replace(RECIPE, average_decay=0.0), tmp_path)
    assert torch.equal(network.scale.detach(), torch.ones(4))
    assert float(network.matrix.detach().max()) < 0.99
