"""The generators that ship: how each is trained, so that a stopped training goes on and a killed one leaves a whole file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from uap_core.crafting.base import Progress
from uap_core.crafting.generator import Generator, generator_of
from uap_core.crafting.menu import TILES
from uap_core.crafting.problem import Problem
from uap_core.crafting.run import CraftRun
from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.networks import LITES
from uap_core.experiments.provenance import with_provenance
from uap_core.identity import settings
from uap_core.io.paths import GENERATORS, dreams_path
from uap_core.models.classifier import Classifier
from uap_core.models.zoo import QUICK_MODEL
from uap_core.norms import Ball
from uap_core.perturbations.generators import PatternGenerator, load_generator
from uap_core.precompute.materials import Job, Materials
from uap_core.precompute.recipes import L2_2000, LINF10

# Labels that each network falls into anyway and that were reached when they were tried. ``crafting.hubs`` finds ResNet-64's;
# of EfficientNet-Lite0's twenty textures were tried, by descents into patterns of its tiles.
HUBS = {
    QUICK_MODEL: ("abacus", "umbrella", "bee", "brain coral", "fountain", "dragonfly"),
    LITES[0]: ("brain coral", "jigsaw puzzle", "spider web", "quilt"),
}
SAVES = 3  # of a training
SEEDS = (0, 1, 2)
DREAMS = 256  # to train on


@dataclass(frozen=True)
class GeneratorRecipe:
    """``file`` in assets/generators, and how to train it: on which ``network``, how many ``images`` (photographs, or the
    network's ``dreams``), into which ``labels``. It ships with seed 0; other ``seeds`` are trained to be measured, by that
    many ``draws`` each on ``measured`` photographs, or on all where there are fewer."""

    file: str
    network: str
    ball: Ball
    method: Generator
    images: int = 1000
    dreams: bool = False
    labels: tuple[str, ...] = ()
    seed: int = 0
    seeds: tuple[int, ...] = SEEDS
    draws: int = 100
    measured: int = 500


def generator_recipes() -> list[GeneratorRecipe]:
    """The generators that ship."""
    key, hubs = QUICK_MODEL, HUBS[QUICK_MODEL]
    free = Generator(budget=48_000, draws=8, noise=10, rate=3e-3, starts=4, bf16=True)
    told = Generator(budget=108_000, rate=3e-3, alone=0.3, mixed=1 / 16, weight=8, bf16=True)
    told_l2 = Generator(budget=16_000, batch_size=16, draws=8, rate=5e-3, alone=0.6)
    lite = LITES[0]
    told_lite = Generator(budget=6_000, batch_size=16, channels=32, tiles=TILES, rate=3e-3, weight=2, bf16=True)
    return [
        GeneratorRecipe(f"{key}-hubs-linf10", key, LINF10, told, 5000, labels=hubs),
        GeneratorRecipe(f"{key}-free-linf10", key, LINF10, free),
        GeneratorRecipe(f"{key}-hubs-l2", key, L2_2000, told_l2, labels=hubs, measured=200),
        GeneratorRecipe(f"{lite}-hubs-linf10", lite, LINF10, told_lite, DREAMS, dreams=True, labels=HUBS[lite]),
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


def training_job(materials: Materials, recipe: GeneratorRecipe, is_measured: Callable[[GeneratorRecipe], bool]) -> Job:
    """One training. Of a seed that does not ship what it was trained for will do: that it ``is_measured``."""
    path = path_of(materials, recipe)

    def is_done() -> bool:
        return is_made(recipe, path) or bool(recipe.seed and is_measured(recipe))

    def run() -> Iterator[str]:
        for progress in trained(materials, recipe, path):
            if progress.fooling_rate:
                yield f"{progress.share:4.0%}  {progress.image_gradients} image-gradients, craft set {progress.fooling_rate}"

    return Job("generators", path.stem, {recipe.network: recipe.method.budget}, is_done, run)


def trained(materials: Materials, recipe: GeneratorRecipe, path: Path) -> Iterator[Progress]:
    """Train with the ``materials``; what was done is kept with the work."""
    materials.work.mkdir(parents=True, exist_ok=True)
    craft = images_of(materials, recipe)
    yield from train(recipe, materials.network(recipe.network), craft, path, materials.work / f"{path.stem}.state")


def images_of(materials: Materials, recipe: GeneratorRecipe) -> ImageSet:
    """What a generator learns from: the network's dreams, or photographs to craft on."""
    return materials.splits(recipe.network, dreams_path(recipe.network) if recipe.dreams else None)[0]


def path_of(materials: Materials, recipe: GeneratorRecipe) -> Path:
    """Where a generator is written: seed 0 ships, others are kept with the work."""
    folder, name = (materials.work, f"{recipe.file}-seed{recipe.seed}") if recipe.seed else (GENERATORS, recipe.file)
    return folder / f"{name}.safetensors"


def is_made(recipe: GeneratorRecipe, path: Path) -> bool:
    """Whether the file is there and was made by these settings."""
    return path.is_file() and load_generator(path).provenance.get("settings") == settings(recipe.method)
