"""Clouds of points on the surfaces of ten solids, each with random proportions, pose and noise."""

from __future__ import annotations

import math

import torch
from torch import Tensor

CLASSES = ("ball", "box", "cylinder", "cone", "ring", "pyramid", "octahedron", "capsule", "bowl", "prism")
POINTS = 256
STRETCH, TILT, NOISE = 0.2, math.radians(20), 0.01  # of each axis; of the upright axis; of each coordinate
_BOX = [(-1, -1), (-1, 1), (1, 1), (1, -1)]
# Corners and triangles of the solids with flat faces.
_PYRAMID = ([(*xy, -1) for xy in _BOX] + [(0, 0, 1)], [(0, 1, 2), (0, 2, 3), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)])
_OCTAHEDRON = (
    [(1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0), (0, 0, 1.2), (0, 0, -1.2)],
    [(i, (i + 1) % 4, tip) for i in range(4) for tip in (4, 5)],
)
_TRIANGLE = [(math.cos(2 * math.pi * i / 3), math.sin(2 * math.pi * i / 3)) for i in range(3)]
_PRISM = (
    [(*xy, z) for z in (-1, 1) for xy in _TRIANGLE],
    [(0, 1, 2), (3, 4, 5)] + [t for i in range(3) for t in ((i, (i + 1) % 3, 3 + i), ((i + 1) % 3, 3 + i, 3 + (i + 1) % 3))],
)
_CUBE = (
    [(*xy, z) for z in (-0.9, 0.9) for xy in _BOX],
    [(0, 1, 2), (0, 2, 3), (4, 5, 6), (4, 6, 7)]
    + [t for i in range(4) for t in ((i, (i + 1) % 4, 4 + i), ((i + 1) % 4, 4 + i, 4 + (i + 1) % 4))],
)


def clouds(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """``count`` clouds (N,POINTS,3) of radius 1 about their mean, and their classes (N,).

    The same seed gives the same clouds.
    """
    generator = torch.Generator().manual_seed(seed)
    kinds = torch.randint(len(CLASSES), (count,), generator=generator)
    return torch.stack([solid(int(kind), POINTS, generator) for kind in kinds]), kinds


def solid(kind: int, points: int, generator: torch.Generator) -> Tensor:
    """One cloud (points,3) of the class ``kind``."""
    found = _surface(CLASSES[kind], points, generator)
    found = found * (1 + STRETCH * (2 * torch.rand(3, generator=generator) - 1))
    turn = 2 * math.pi * float(torch.rand(1, generator=generator))
    towards = 2 * math.pi * float(torch.rand(1, generator=generator))
    tilt = TILT * float(torch.rand(1, generator=generator))
    found = found @ (_about_z(towards) @ _about_x(tilt) @ _about_z(turn - towards)).T
    found = found + NOISE * torch.randn(found.shape, generator=generator)
    return normalised(found)


def normalised(cloud: Tensor) -> Tensor:
    """``cloud`` (m,3) moved to mean 0 and scaled to radius 1."""
    centred = cloud - cloud.mean(0)
    return centred / centred.norm(dim=1).max().clamp_min(1e-9)


def _surface(name: str, m: int, generator: torch.Generator) -> Tensor:
    u, v, w = torch.rand(3, m, generator=generator)
    a = 2 * math.pi * u
    if name in ("ball", "bowl"):
        z = 2 * v - 1 if name == "ball" else v - 1
        return _round((1 - z * z).sqrt(), a, z)
    if name == "ring":
        tube = 0.25 + 0.2 * float(torch.rand(1, generator=generator))
        b = 2 * math.pi * v
        return _round(1 + tube * b.cos(), a, tube * b.sin())
    if name == "cone":
        on_base, r = w < 0.3, v.sqrt()
        return _round(r, a, torch.where(on_base, -torch.ones(m), 1 - 2 * r))
    if name == "cylinder":
        on_lid, side = w < 0.33, 2 * v - 1
        return _round(torch.where(on_lid, v.sqrt(), torch.ones(m)), a, torch.where(on_lid, (side * 2).sign(), side))
    if name == "capsule":
        half = 0.7 + 0.4 * float(torch.rand(1, generator=generator))
        on_end, z = w < 1 / (1 + half), 2 * v - 1
        return 0.7 * _round(
            torch.where(on_end, (1 - z * z).sqrt(), torch.ones(m)), a, torch.where(on_end, z + half * z.sign(), half * z)
        )
    corners, faces = {"box": _CUBE, "pyramid": _PYRAMID, "octahedron": _OCTAHEDRON, "prism": _PRISM}[name]
    return _flat(torch.tensor(corners, dtype=torch.float32), torch.tensor(faces), m, generator)


def _round(radius: Tensor, angle: Tensor, z: Tensor) -> Tensor:
    return torch.stack([radius * angle.cos(), radius * angle.sin(), z], 1)


def _flat(corners: Tensor, faces: Tensor, m: int, generator: torch.Generator) -> Tensor:
    """Points spread evenly over triangles."""
    a, b, c = (corners[faces[:, i]] for i in range(3))
    area = torch.linalg.cross(b - a, c - a).norm(dim=1)
    face = torch.multinomial(area, m, replacement=True, generator=generator)
    s, t = torch.rand(2, m, 1, generator=generator)
    s, t = torch.where(s + t > 1, 1 - s, s), torch.where(s + t > 1, 1 - t, t)
    return a[face] + s * (b - a)[face] + t * (c - a)[face]


def _about_z(angle: float) -> Tensor:
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _about_x(angle: float) -> Tensor:
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
