"""The recipes of the ready-made perturbations, and how one is made: crafted, rounded to 8 bits, measured, written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.activations import Activations
from uap_core.crafting.base import Crafter, Progress
from uap_core.crafting.deepfool_uap import DeepFoolUAP
from uap_core.crafting.default import Default
from uap_core.crafting.intri_uap import Intrinsic
from uap_core.crafting.menu import TILES
from uap_core.crafting.transfer import Transfer
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import PerturbationError
from uap_core.experiments.networks import IMAGENET, KINDS, LITES, OTHERS, SEVEN
from uap_core.experiments.provenance import NO_IMAGES, with_held_out, with_provenance
from uap_core.experiments.so_far import same_weights
from uap_core.identity import identity
from uap_core.models.card import Card
from uap_core.models.classifier import Classifier
from uap_core.models.zoo import QUICK_MODEL, Zoo
from uap_core.norms import Ball, of_levels, on_grid
from uap_core.perturbations.perturbation import load_perturbation, save_perturbation

# The paper's method at an affordable cost: the gain compensates for the shorter mean step of eight images, and fewer passes.
DEEPFOOL = DeepFoolUAP(batch_size=8, gain=400.0)
HOW: dict[type[Crafter], str] = {  # what lists say of a method that is not ours
    DeepFoolUAP: "by DeepFool",
    Activations: "by activations, no pictures",
    Intrinsic: "by singular vectors, no pictures",
}
WITHOUT_IMAGES: dict[str, Crafter] = {"activations": Activations(budget=2000), "intrinsic": Intrinsic(budget=2000)}
LINF10, L2_2000 = Ball("linf", of_levels(10)), Ball("l2", of_levels(2000))


@dataclass(frozen=True)
class Recipe:
    """``file`` in assets/perturbations, and how to craft it: on which ``networks``, from how many ``images`` at most (0 for a
    method that needs none).

    Where there are several, ``group`` says in words which they are, "all four ImageNet networks", and ``left_out`` which one
    of that group they are not.
    """

    file: str
    networks: tuple[str, ...]
    ball: Ball
    method: Crafter
    images: int = 500
    target: str = ""
    seed: int = 0
    group: str = ""
    left_out: str = ""

    def name(self, cards: Mapping[str, Card]) -> str:
        """What lists call it."""
        who = self.group or cards[self.networks[0]].name
        if self.left_out:
            who = f"{who} but {cards[self.left_out].name}"
        how = next((words for kind, words in HOW.items() if isinstance(self.method, kind)), "")
        how = how or (f"into {self.target!r}" if self.target else "")
        return ", ".join(filter(None, [who, str(self.ball), how]))

    def gradients(self) -> dict[str, int]:
        """Image-gradients at most on each network: what most of the time goes into."""
        shared = len(self.networks) if isinstance(self.method, DeepFoolUAP) else 1
        return dict.fromkeys(self.networks, self.method.budget // shared)


def recipes() -> list[Recipe]:
    """What the library holds, quick ones first."""
    ours = Default(budget=10_000, bf16=True)
    theirs = replace(DEEPFOOL, budget=5_000)
    embedded = [
        Recipe(f"{QUICK_MODEL}-linf10", (QUICK_MODEL,), LINF10, Default(budget=25_600), 2000),
        Recipe(f"{QUICK_MODEL}-l2", (QUICK_MODEL,), L2_2000, ours),
        Recipe(f"{QUICK_MODEL}-linf10-deepfool", (QUICK_MODEL,), LINF10, theirs),
        Recipe(f"{QUICK_MODEL}-linf10-abacus", (QUICK_MODEL,), LINF10, ours, target="abacus"),
    ]
    others = [Recipe(f"{key}-linf10", (key,), LINF10, ours, 2000) for key in OTHERS]
    single = [
        Recipe(f"{network}-{name}", (network,), ball, method)
        for name, ball, method in (
            ("linf10", LINF10, ours),
            ("l2", L2_2000, replace(ours, budget=5_000)),
            ("linf10-deepfool", LINF10, theirs),
        )
        for network in IMAGENET
    ]
    all_four = [Recipe("all-linf10", IMAGENET, LINF10, replace(ours, budget=3_000), group="all four ImageNet networks")]
    unseen = Transfer(budget=5_000, bf16=True)
    without = [
        Recipe(f"{key}-linf10-{name}", (key,), LINF10, method, images=0)
        for key in (QUICK_MODEL, LITES[0], IMAGENET[0])
        for name, method in WITHOUT_IMAGES.items()
    ]
    return [*embedded, *others, *single, *all_four, *_all_but(IMAGENET, "all-but", "all", unseen), *_of_lites(), *without]


def _of_lites() -> list[Recipe]:
    ours = Default(budget=10_000, tiles=TILES, bf16=True)
    theirs = replace(DEEPFOOL, budget=5_000)
    single = [
        Recipe(f"{network}-{name}", (network,), ball, method, target=target)
        for name, ball, method, target in (
            ("linf10", LINF10, ours, ""),
            ("linf10-deepfool", LINF10, theirs, ""),
            ("l2", L2_2000, replace(ours, budget=5_000), ""),
            ("linf10-brain-coral", LINF10, ours, "brain coral"),
        )
        for network in LITES
    ]
    faint = Recipe(f"{LITES[0]}-linf6", (LITES[0],), Ball("linf", of_levels(6)), ours)
    together = replace(ours, budget=3_000)
    seven = Recipe("seven-linf10", SEVEN, LINF10, together, group="all seven ImageNet networks")
    return [*single, faint, seven, *_all_but(KINDS, "unseen", "all kinds", Transfer(budget=5_000, tiles=TILES, bf16=True))]


def _all_but(networks: tuple[str, ...], file: str, group: str, method: Crafter) -> list[Recipe]:
    """One pattern for each network: crafted on all the others, for a network that is never seen."""
    return [
        Recipe(
            f"{file}-{left_out}-linf10",
            tuple(key for key in networks if key != left_out),
            LINF10,
            method,
            group=group,
            left_out=left_out,
        )
        for left_out in networks
    ]


def is_made(recipe: Recipe, folder: Path, zoo: Zoo, source: str) -> bool:
    """Whether the file is there and was made by this very recipe on these networks, from pictures of that ``source``.

    A source with fewer images than the recipe takes gives all it has.
    """
    path = folder / f"{recipe.file}.safetensors"
    if not path.is_file():
        return False
    try:
        found = load_perturbation(path)
    except PerturbationError:
        return False
    stated = found.provenance
    crafted_on = str(stated.get("craft_set", ""))
    count, _, name = crafted_on.partition(" images of ")
    fits = name == source and 0 < int(count) <= recipe.images if recipe.images else crafted_on == NO_IMAGES
    return (
        found.ball == recipe.ball
        and {"method": stated.get("method"), "settings": stated.get("settings")} == identity(recipe.method)
        and stated.get("network") == ", ".join(recipe.networks)
        and same_weights(stated, zoo.cards())
        and (stated.get("seed"), stated.get("target", "")) == (recipe.seed, recipe.target)
        and fits
    )


def make(
    recipe: Recipe,
    name: str,
    networks: list[Classifier],
    craft: ImageSet,
    held_out: ImageSet,
    folder: Path,
    checkpoint: Path,
) -> Iterator[Progress]:
    """Craft, round to whole 255ths, measure on ``held_out`` and write under ``name``; yields the run's progress.

    The run is saved in ``checkpoint`` six times (at most every thousand image-gradients, since all craft images are measured
    too) and continues from there.
    """
    criterion = Criterion.into(networks[0].index_of(recipe.target)) if recipe.target else Criterion()
    part = craft.shuffled(torch.Generator().manual_seed(recipe.seed)).prefix(recipe.images) if recipe.images else None
    crafter = replace(recipe.method, interval=max(1000, sum(recipe.gradients().values()) // 6))
    last = None
    for last in crafter.craft(
        networks,
        part.pixels if part else None,
        recipe.ball,
        torch.Generator().manual_seed(recipe.seed),
        criterion=criterion,
        checkpoint=checkpoint,
    ):
        yield last
    assert last is not None, "a run ends with its result"
    found = with_provenance(name, recipe.method, networks, part, recipe.ball, criterion, recipe.seed, last)
    found = replace(found, pattern=on_grid(found.pattern, found.ball))
    found, _ = with_held_out(found, networks, held_out, criterion, recipe.seed)
    save_perturbation(found, folder / f"{recipe.file}.safetensors")
    checkpoint.unlink(missing_ok=True)
