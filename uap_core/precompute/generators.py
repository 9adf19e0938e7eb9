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
from uap_core.experiments.generator_draws import Sight, any_of, draws, elsewhere, place_codes, place_rows, walks
from uap_core.experiments.generator_rows import DrawRow
from uap_core.experiments.provenance import with_provenance
from uap_core.io.paths import GENERATORS, dreams_path
from uap_core.io.results import Table, read_table, write_table
from uap_core.models.classifier import Classifier
from uap_core.models.zoo import QUICK_MODEL
from uap_core.norms import Ball
from uap_core.perturbations.generators import STRESS, PatternGenerator, load_generator
from uap_core.perturbations.perturbation import versions
from uap_core.precompute.materials import Job, Materials, provenance_of
from uap_core.precompute.recipes import L2_2000, LINF10

# Labels that each network falls into anyway (``crafting.hubs`` finds them), and that were reached when they were tried.
HUBS = {QUICK_MODEL: ("abacus", "umbrella", "bee", "brain coral", "fountain", "dragonfly")}
SAVES = 3  # of a training
SEEDS = (0, 1, 2)
DREAMS = 256  # to train on, which did better than 1000 photographs
MEASURED = 200  # held-out images
DRAWS = "generators-draws.json"
# Trained otherwise, or against patterns: the universally trained one against one pattern that learnt with it.
OTHER_NETWORKS = ("vgg64", "separable64", "resnet64_robust", "resnet64_universal")


@dataclass(frozen=True)
class GeneratorRecipe:
    """``file`` in assets/generators, and how to train it: on which ``network``, how many ``images`` (photographs, or the
    network's ``dreams``), into which ``labels``."""

    file: str
    network: str
    ball: Ball
    method: Generator
    images: int = 1000
    dreams: bool = False
    labels: tuple[str, ...] = ()
    seed: int = 0


def generator_recipes(seed: int = 0) -> list[GeneratorRecipe]:
    """What ships with seed 0; other seeds are trained to be measured."""
    key, hubs = QUICK_MODEL, HUBS[QUICK_MODEL]
    free = Generator(budget=25_600, draws=8, noise=10, rate=3e-3, bf16=True)
    told = Generator(budget=48_000, rate=3e-3, alone=0.3, bf16=True)
    told_l2 = Generator(budget=16_000, batch_size=16, draws=8, rate=5e-3, alone=0.6)
    return [
        GeneratorRecipe(f"{key}-hubs-linf10", key, LINF10, told, DREAMS, dreams=True, labels=hubs, seed=seed),
        GeneratorRecipe(f"{key}-free-linf10", key, LINF10, free, DREAMS, dreams=True, seed=seed),
        GeneratorRecipe(f"{key}-hubs-l2", key, L2_2000, told_l2, labels=hubs, seed=seed),
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


def generator_jobs(materials: Materials) -> list[Job]:
    """Trainings, then the tables of those that ship."""
    jobs = [training_job(materials, recipe) for seed in SEEDS for recipe in generator_recipes(seed)]
    told = [recipe for recipe in generator_recipes() if recipe.labels]
    return [*jobs, draws_job(materials), *(places_job(materials, recipe.file) for recipe in told)]


def path_of(materials: Materials, recipe: GeneratorRecipe) -> Path:
    """Where a generator is written: seed 0 ships, others are kept with the work."""
    return (
        GENERATORS if not recipe.seed else materials.work
    ) / f"{recipe.file}{f'-seed{recipe.seed}' * bool(recipe.seed)}.safetensors"


def training_job(materials: Materials, recipe: GeneratorRecipe) -> Job:
    """One training."""
    path = path_of(materials, recipe)

    def run() -> Iterator[str]:
        craft, _ = materials.splits(recipe.network, dreams_path(recipe.network) if recipe.dreams else None)
        materials.work.mkdir(parents=True, exist_ok=True)
        state = materials.work / f"{path.stem}.state"
        for progress in train(recipe, materials.network(recipe.network), craft, path, state):
            if progress.fooling_rate:
                yield f"{progress.share:4.0%}  {progress.image_gradients} image-gradients, craft set {progress.fooling_rate}"

    return Job("generators", path.stem, {recipe.network: recipe.method.budget}, lambda: is_trained(materials, recipe), run)


def is_trained(materials: Materials, recipe: GeneratorRecipe) -> bool:
    """Whether the file is there, or, of a seed that does not ship, what it was trained for: its row of the draws."""
    if path_of(materials, recipe).is_file():
        return True
    measured = materials.results / DRAWS
    rows = read_table(measured, DrawRow).rows if recipe.seed and measured.is_file() else []
    return any((row.generator, row.seed) == (recipe.file, recipe.seed) for row in rows)


def draws_job(materials: Materials) -> Job:
    """Draws of every generator that is there, seed by seed."""
    path = materials.results / DRAWS

    def run() -> Iterator[str]:
        rows = []
        for recipe in (recipe for seed in SEEDS for recipe in generator_recipes(seed)):
            if not path_of(materials, recipe).is_file():
                continue
            made = load_generator(path_of(materials, recipe))
            rows.append(draws(recipe.file, made, sight_of(materials, recipe.network), recipe.seed))
            yield str(rows[-1])
            write_table(Table("Draws of generators", rows, told_of(materials, QUICK_MODEL)), path)

    return Job("generators", path.stem, {}, path.is_file, run)


def places_job(materials: Materials, file: str) -> Job:
    """The polygon of one generator, and beside it walks, corners together, other networks."""
    path = materials.results / f"{file}-places.json"

    def run() -> Iterator[str]:
        made = load_generator(GENERATORS / f"{file}.safetensors")
        key = str(made.provenance["network"])
        noise = place_codes(made, torch.eye(len(made.labels)))[0, : made.noise].tolist()
        code = {"labels": list(made.labels), "noise": noise, "stress": STRESS, "p": made.ball.p}
        sight, told = sight_of(materials, key), told_of(materials, key) | code
        rows = []
        for row in place_rows(made, sight):
            rows.append(row)
            yield f"{row.x:5.2f} {row.y:5.2f} {row.fooled}"
        write_table(Table(f"Places of {file}", rows, told), path)
        others = [sight_of(materials, other) for other in OTHER_NETWORKS] if key == QUICK_MODEL else []
        beside = [*walks(made, sight), *any_of(made, sight), *elsewhere(made, [sight, *others])]
        write_table(Table(f"Beside {file}", beside, told), materials.results / f"{file}-beside.json")
        yield f"{len(beside)} figures beside"

    return Job("generators", path.stem, {}, path.is_file, run)


def sight_of(materials: Materials, key: str) -> Sight:
    """A network and held-out images that no generator saw."""
    shuffled = materials.held_out(key).shuffled(torch.Generator().manual_seed(0))
    return Sight.on(materials.network(key), shuffled.prefix(MEASURED).pixels)


def told_of(materials: Materials, key: str) -> dict[str, object]:
    """What a table states: network, images, versions."""
    held_out = f"{MEASURED} images of {materials.held_out(key).name}"
    return provenance_of(materials, [key]) | versions() | {"held_out": held_out}
