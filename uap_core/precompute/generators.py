"""The generators that ship: how each is trained, so that a stopped training goes on and a killed one leaves a whole file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from uap_core.crafting.base import Progress
from uap_core.crafting.generator import Generator, generator_of
from uap_core.crafting.problem import Problem
from uap_core.crafting.run import CraftRun
from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.provenance import with_provenance
from uap_core.models.classifier import Classifier
from uap_core.models.zoo import QUICK_MODEL
from uap_core.norms import Ball
from uap_core.perturbations.generators import PatternGenerator
from uap_core.precompute.recipes import L2_2000, LINF10

# Labels that each network falls into anyway (``crafting.hubs`` finds them), and that were reached when they were tried.
HUBS = {QUICK_MODEL: ("abacus", "umbrella", "bee", "brain coral", "fountain", "dragonfly")}
SAVES = 6  # of a training


@dataclass(frozen=True)
class GeneratorRecipe:
    """``file`` in assets/generators, and how to train it: on which ``network``, on how many ``images``, into which ``labels``."""

    file: str
    network: str
    ball: Ball
    method: Generator
    images: int = 2000
    labels: tuple[str, ...] = ()
    seed: int = 0


def generator_recipes(seed: int = 0) -> list[GeneratorRecipe]:
    """What ships with seed 0; other seeds are trained to be measured."""
    key, hubs = QUICK_MODEL, HUBS[QUICK_MODEL]
    free = Generator(budget=25_600, draws=8, noise=10, rate=3e-3)
    told = Generator(budget=25_600)
    return [
        GeneratorRecipe(f"{key}-hubs-linf10", key, LINF10, told, labels=hubs, seed=seed),
        GeneratorRecipe(f"{key}-free-linf10", key, LINF10, free, seed=seed),
        GeneratorRecipe(f"{key}-hubs-l2", key, L2_2000, told, labels=hubs, seed=seed),
    ]


def train(recipe: GeneratorRecipe, network: Classifier, craft: ImageSet, path: Path, state: Path) -> Iterator[Progress]:
    """Train and write to ``path``; yields the run's progress. What was done is saved in ``state`` and continued from there."""
    hubs = tuple(network.index_of(label) for label in recipe.labels)
    part = craft.shuffled(torch.Generator().manual_seed(recipe.seed)).prefix(recipe.images)
    method = replace(recipe.method, hubs=hubs, interval=max(1, recipe.method.budget // SAVES))
    problem = Problem.pose([network], part.pixels, recipe.ball)
    run, last = CraftRun(method, problem, torch.Generator().manual_seed(recipe.seed), state), None
    for last in run.steps():
        yield last
    assert last is not None, "a run ends with its result"
    made = with_provenance(recipe.file, recipe.method, [network], part, recipe.ball, problem.criterion, recipe.seed, last)
    write(generator_of(method, problem, run.state), made.provenance, path)
    state.unlink(missing_ok=True)


def write(generator: PatternGenerator, provenance: dict[str, object], path: Path) -> None:
    """Write ``generator`` with its ``provenance``."""
    replace(generator, provenance=provenance).save(path)
