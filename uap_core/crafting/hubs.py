"""Hubs: the labels that a network falls into anyway, and that one pattern can push many images into."""

from __future__ import annotations

from collections import Counter

import torch
from torch.nn import functional as F

from uap_core.crafting.problem import Problem, predicted
from uap_core.errors import SettingError

CELL = 4  # pixels of a square of the coarse signs
TRIED = 24  # patterns of coarse signs
STEPS, BATCH, SHARE = 6, 16, 0.4  # of the short descent into a label: steps, images a step, of the radius a step


def candidates(problem: Problem, count: int, generator: torch.Generator) -> list[int]:
    """The ``count`` commonest answers to coarse random signs among images that were something else before."""
    height, width = problem.shape
    network, found = problem.networks[0], Counter[int]()
    before = problem.clean[0].argmax(dim=1)
    for _attempt in range(TRIED):
        coarse = problem.ball.random_signs((3, -(-height // CELL), -(-width // CELL)), generator)
        fine = coarse.repeat_interleave(CELL, 1).repeat_interleave(CELL, 2)[:, :height, :width]
        answers = predicted(network, problem.images, problem.ball.fill(fine).to(problem.device))
        found.update(answers[answers != before].tolist())
    return [label for label, _count in found.most_common(count)]


def reach(problem: Problem, label: int) -> float:
    """The share of other images that a short descent into ``label`` turns into it: how easily it is reached."""

    def loss(_clean: torch.Tensor, perturbed: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(perturbed, torch.full((len(perturbed),), label, device=perturbed.device), reduction="none")

    v = torch.zeros(problem.images.shape[1:], device=problem.device)
    for step in range(STEPS):
        batch = (torch.arange(BATCH) + step * BATCH) % len(problem.images)
        down = problem.ball.fill(problem.gradient(loss, batch, v))
        v = problem.ball.project(v - SHARE * down)
    return problem.held_to(label, v).value


def find_hubs(problem: Problem, count: int, generator: torch.Generator) -> list[tuple[int, float]]:
    """The ``count`` labels that are reached most easily, among three times as many that coarse signs lead to, and how easily.

    Raises SettingError where the network has fewer such labels.
    """
    tried = candidates(problem, 3 * count, generator)
    ranked = sorted(((label, reach(problem, label)) for label in tried), key=lambda pair: -pair[1])
    if len(ranked) < count:
        raise SettingError(f"Coarse signs lead this network to {len(ranked)} labels only. Ask for fewer hubs.")
    return ranked[:count]
