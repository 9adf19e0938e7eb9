"""A body of a family: bones made longer and thicker, turned at their joints, and the template's skin moved with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uap_core.geometric.shapes.bodies import Bone
from uap_core.geometric.shapes.template import bone_distances

LONGER, THICKER = 0.05, 0.04  # spread of the logarithm of lengths and thicknesses, within a family
SOFT = 0.06  # distance over which the skin passes from one bone to the next


@dataclass(frozen=True)
class Body:
    """How a body differs from its template: factors of ``length`` and ``thickness`` (b,), turns (b,3) as rotation vectors."""

    length: np.ndarray
    thickness: np.ndarray
    turns: np.ndarray


def draw_body(bones: list[Bone], generator: np.random.Generator) -> Body:
    """Random proportions and a random pose within the joints' limits. Left and right are drawn apart."""
    count = len(bones)
    length = np.exp(LONGER * generator.standard_normal(count).clip(-2, 2))
    whole = LONGER / 2 * generator.standard_normal()
    thickness = np.exp(THICKER * generator.standard_normal(count).clip(-2, 2) + whole)
    axes = generator.standard_normal((count, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    swing = np.array([bone.swing for bone in bones]) * (np.array([bone.parent for bone in bones]) >= 0)
    turns = axes * (swing * generator.random(count))[:, None]
    return Body(length, thickness, turns)


def weights(points: np.ndarray, bones: list[Bone]) -> np.ndarray:
    """How much (n,b) each vertex goes with each bone; rows sum to 1."""
    near = bone_distances(points, bones)
    scores = np.exp(-(near - near.min(1, keepdims=True)) / SOFT)
    return np.asarray(scores / scores.sum(1, keepdims=True))


def posed(points: np.ndarray, bones: list[Bone], body: Body) -> np.ndarray:
    """The template's vertices (n,3) moved as ``body`` says, by linear blend skinning."""
    moved = np.zeros_like(points)
    rotations: list[np.ndarray] = []
    heads: list[_moving] = []
    share = weights(points, bones)
    for number, bone in enumerate(bones):
        start, end = np.array(bone.start, dtype=np.float64), np.array(bone.end, dtype=np.float64)
        along = (end - start) / np.linalg.norm(end - start)
        stretch = body.thickness[number] * np.eye(3) + (body.length[number] - body.thickness[number]) * np.outer(along, along)
        own = rotation(body.turns[number])
        if bone.parent < 0:
            turned, head = own, start
        else:
            parent = bone.parent
            turned = rotations[parent] @ own
            head = heads[parent](start)
        rotations.append(turned)
        heads.append(_moving(head, turned @ stretch, start))
        moved += share[:, number : number + 1] * heads[number](points)
    return moved


class _moving:
    """A bone's map of space: turned and stretched about where it starts."""

    def __init__(self, head: np.ndarray, matrix: np.ndarray, start: np.ndarray) -> None:
        self.head, self.matrix, self.start = head, matrix, start

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(self.head + (points - self.start) @ self.matrix.T)


def rotation(vector: np.ndarray) -> np.ndarray:
    """The rotation (3,3) about ``vector`` (3,) by its length in radians (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
