"""What ships for shapes: a template of each family, the classifier, and the universal change of the spectrum."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from uap_core.geometric.shapes.bodies import CLASSES, FAMILIES
from uap_core.geometric.shapes.classifier import SpectralNet
from uap_core.geometric.shapes.posing import Body, draw_body, posed
from uap_core.io.paths import GEOMETRIC

FILE = "shapes.safetensors"
Mesh = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Stored:
    """Templates by family, the trained ``net``, and rho (k,)."""

    templates: dict[str, Mesh]
    net: SpectralNet
    rho: np.ndarray

    def mesh(self, kind: int, body: Body) -> Mesh:
        """The mesh of a ``body`` of the family number ``kind``."""
        return mesh_of(self.templates, kind, body)


def mesh_of(templates: dict[str, Mesh], kind: int, body: Body) -> Mesh:
    """The template of a family moved as ``body`` says."""
    points, faces = templates[CLASSES[kind]]
    return posed(points, FAMILIES[CLASSES[kind]], body), faces


def bodies(count: int, seed: int) -> list[tuple[int, Body]]:
    """``count`` random bodies of the families in turn. The same seed gives the same bodies."""
    draw = np.random.default_rng(seed)
    return [(i % len(CLASSES), draw_body(FAMILIES[CLASSES[i % len(CLASSES)]], draw)) for i in range(count)]


def in_new_poses(given: list[tuple[int, Body]], seed: int) -> list[tuple[int, Body]]:
    """The same bodies, each in another pose."""
    draw = np.random.default_rng(seed)
    return [(kind, replace(body, turns=draw_body(FAMILIES[CLASSES[kind]], draw).turns)) for kind, body in given]


def save_shapes(path: Path, stored: Stored) -> None:
    """Write all of it into one file."""
    from safetensors.numpy import save

    from uap_core.io.atomic import write_whole

    arrays: dict[str, np.ndarray] = {"mean": stored.net.mean, "spread": stored.net.spread, "rho": stored.rho}
    arrays |= {f"layer{i}": layer for i, layer in enumerate(stored.net.layers)}
    arrays |= {f"points.{name}": points for name, (points, _faces) in stored.templates.items()}
    narrow = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in arrays.items()}
    faces = {f"faces.{name}": faces.astype(np.uint16) for name, (_points, faces) in stored.templates.items()}
    write_whole(path, save(narrow | faces))


def load_shapes(path: Path) -> Stored:
    """Read what ``save_shapes`` wrote."""
    from safetensors.numpy import load_file

    arrays = load_file(path)
    wide = {name: value.astype(np.int64 if name.startswith("faces") else np.float64) for name, value in arrays.items()}
    layers = tuple(wide[f"layer{i}"] for i in range(sum(name.startswith("layer") for name in wide)))
    templates = {name: (wide[f"points.{name}"], wide[f"faces.{name}"]) for name in CLASSES}
    return Stored(templates, SpectralNet(wide["mean"], wide["spread"], layers), wide["rho"])


@lru_cache(maxsize=1)
def stored_shapes() -> Stored:
    """The shapes as they ship."""
    return load_shapes(GEOMETRIC / FILE)
