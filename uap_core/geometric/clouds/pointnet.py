"""A small PointNet (Qi et al., CVPR 2017) without its learned alignments: the same layers for each point, then the maximum."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uap_core.geometric.clouds.solids import CLASSES, clouds

WIDTHS = (48, 96, 192)
HEAD = 64
CLOUDS, EPOCHS, BATCH, RATE = 5000, 16, 64, 3e-3
HEARD = 128  # points of a cloud in a step of training, drawn anew
JITTER, STRAYS = 0.02, 8  # noise of each coordinate and stray points, at most, in training


class PointNet(nn.Module):
    """Clouds (N,m,3) to logits (N,K). What it answers depends on the set of points alone, not on their order or number."""

    def __init__(self, classes: int = len(CLASSES)) -> None:
        super().__init__()
        sizes = (3, *WIDTHS)
        layers = [layer for a, b in itertools.pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
        self.points = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Linear(WIDTHS[-1], HEAD), nn.ReLU(), nn.Linear(HEAD, classes))

    def forward(self, clouds: Tensor) -> Tensor:
        """Logits (N,K)."""
        found: Tensor = self.head(self.points(clouds).amax(1))
        return found

    def critical(self, cloud: Tensor) -> Tensor:
        """Whether (m,) each point of ``cloud`` (m,3) holds the maximum of a feature; no other point is heard."""
        with torch.no_grad():
            features = self.points(cloud)
            best, where = features.max(0)
        kept = torch.zeros(len(cloud), dtype=torch.bool)
        kept[where[best > 0]] = True
        return kept


def train_pointnet(seed: int) -> PointNet:
    """Train on ``CLOUDS`` clouds that are jittered and get stray points anew each time. About a minute on one core."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net, (given, kinds) = PointNet(), clouds(CLOUDS, seed)
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * -(-CLOUDS // BATCH))
    for _epoch in range(EPOCHS):
        for batch in torch.randperm(CLOUDS, generator=generator).split(BATCH):
            loss = F.cross_entropy(net(_roughened(given[batch], generator)), kinds[batch], label_smoothing=0.02)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval().requires_grad_(False)


def _roughened(given: Tensor, generator: torch.Generator) -> Tensor:
    given = given[:, torch.randperm(given.shape[1], generator=generator)[:HEARD]]
    given = given + JITTER * torch.rand(1, generator=generator) * torch.randn(given.shape, generator=generator)
    strays = int(torch.randint(STRAYS + 1, (1,), generator=generator))
    return torch.cat([given, in_ball((len(given), strays), generator)], 1)


def in_ball(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Points (*shape,3) spread evenly in the ball of radius 1."""
    directions = torch.randn(*shape, 3, generator=generator)
    directions = directions / directions.norm(dim=-1, keepdim=True).clamp_min(1e-9)
    return directions * torch.rand(*shape, 1, generator=generator) ** (1 / 3)


def save_pointnet(net: PointNet, path: Path, seed: int) -> None:
    """Write the weights, and the seed that they were trained with."""
    from safetensors.torch import save

    from uap_core.io.atomic import write_whole

    weights = {name: value.contiguous() for name, value in net.state_dict().items()}
    write_whole(path, save(weights, metadata={"seed": str(seed)}))


def load_pointnet(path: Path) -> PointNet:
    """Read what ``save_pointnet`` wrote."""
    from safetensors.torch import load_file

    net = PointNet()
    net.load_state_dict(load_file(path))
    return net.eval().requires_grad_(False)
