"""One change for all clouds: a smooth field of displacements, or one set of added points."""

from __future__ import annotations

import torch
from torch import Tensor

from uap_core.geometric.clouds.pointnet import PointNet, in_ball

FIELD, ADDED = "field", "added"
WAVES = 2  # of each coordinate, across the ball
STEPS, BATCH, RATE, SURE = 300, 40, 0.03, 0.5
STARTS = {FIELD: 1, ADDED: 4}


def basis(points: Tensor) -> Tensor:
    """Smooth functions (...,125) of places (...,3): products of 1, sines and cosines with at most ``WAVES`` half waves."""
    steps = torch.pi / 2 * torch.arange(1, WAVES + 1)
    angles = points[..., None] * steps
    terms = torch.cat([torch.ones_like(points)[..., None], angles.sin(), angles.cos()], -1)
    x, y, z = terms.unbind(-2)
    return torch.einsum("...i,...j,...k->...ijk", x, y, z).flatten(-3)


def field(coefficients: Tensor, points: Tensor, size: float) -> Tensor:
    """Displacements (...,3) at ``points`` (...,3), none longer than ``size``: the same place is moved the same way always."""
    wanted = basis(points) @ coefficients
    length = wanted.norm(dim=-1, keepdim=True).clamp_min(1e-9)
    return size * (length / size).tanh() * wanted / length


def applied(kind: str, universal: Tensor, clouds: Tensor, size: float) -> Tensor:
    """``clouds`` (N,m,3) after the change: moved by the field, or with the points (a,3) added."""
    if kind == FIELD:
        return clouds + field(universal, clouds, size)
    return torch.cat([clouds, universal.expand(len(clouds), -1, -1)], 1)


def into_ball(points: Tensor) -> Tensor:
    """Points (a,3) pulled back to the ball of radius 1 that every cloud fills."""
    return points / points.norm(dim=-1, keepdim=True).clamp_min(1.0)


def universal_change(net: PointNet, clouds: Tensor, kind: str, size: float, seed: int) -> Tensor:
    """Coefficients (125,3) of a field of at most ``size``, or ``int(size)`` points (a,3) in the ball, that fool ``net`` on as
    many of ``clouds`` (N,m,3) as can be: the best on these of several starts, for points, which may get stuck.

    The same seed gives the same result on the same machine.
    """
    found = []
    for place in range(STARTS[kind]):
        universal = _searched(net, clouds, kind, size, 1000 * seed + place)
        with torch.no_grad():
            changed = net(applied(kind, universal, clouds, size)).argmax(1) != net(clouds).argmax(1)
        found.append((float(changed.float().mean()), universal))
    return max(found, key=lambda one: one[0])[1]


def _searched(net: PointNet, clouds: Tensor, kind: str, size: float, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    universal = start(kind, size, generator).requires_grad_()
    with torch.no_grad():
        labels = net(clouds).argmax(1)
    optimiser = torch.optim.Adam([universal], RATE if kind == ADDED else RATE * size)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.1, STEPS)
    for _step in range(STEPS):
        batch = torch.randint(len(clouds), (BATCH,), generator=generator)
        logits = net(applied(kind, universal, clouds[batch], size))
        own = logits.gather(1, labels[batch, None])
        loss = (own - logits.scatter(1, labels[batch, None], -torch.inf).amax(1, keepdim=True)).clamp_min(-SURE).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if kind == ADDED:
            with torch.no_grad():
                universal.copy_(into_ball(universal))
    return universal.detach()


def start(kind: str, size: float, generator: torch.Generator) -> Tensor:
    """A random change of the same kind and size: where the search starts, and what the result is compared with."""
    if kind == ADDED:
        return in_ball((int(size),), generator)
    return size * torch.randn((2 * WAVES + 1) ** 3, 3, generator=generator) / 4


def noise(clouds: Tensor, size: float, generator: torch.Generator) -> Tensor:
    """``clouds`` with every point moved by ``size`` in a direction of its own."""
    directions = torch.randn(clouds.shape, generator=generator)
    return clouds + size * directions / directions.norm(dim=-1, keepdim=True)
