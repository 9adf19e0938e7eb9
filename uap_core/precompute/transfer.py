"""Precomputed tables of the transfer of single-image attacks, compared with noise of the same size.

On the families of networks that there are, and on small ones trained on two halves of one set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from uap_core.attacks.base import Attack
from uap_core.attacks.bim import IterativeFGSM
from uap_core.attacks.deepfool import DeepFool
from uap_core.attacks.fgsm import FGSM
from uap_core.attacks.lbfgs import LBFGS
from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.disjoint_training import (
    CLASSES,
    LEARNER_NAMES,
    LEARNERS,
    RECIPE,
    LearnerRow,
    cross_training,
    open_for_halves,
)
from uap_core.experiments.networks import FAMILIES
from uap_core.experiments.origins import NOISES, MatrixRow, origin_name
from uap_core.experiments.so_far import Parts, readable
from uap_core.experiments.transfer_examples import as_large, cross_model, made_on, whole_rows
from uap_core.identity import identities, settings
from uap_core.io.results import Table, write_table
from uap_core.models.names import network_names
from uap_core.models.zoo import QUICK_MODEL
from uap_core.perturbations.perturbation import versions
from uap_core.precompute.materials import Job, Materials, provenance_of
from uap_core.precompute.recipes import LINF10

# Said here in full, so that another budget for the page's menu does not make published tables outdated.
EPSILON = LINF10.radius
PGD = IterativeFGSM(EPSILON, EPSILON / 4, 10, random_start=True, all_steps=True)
ATTACKS: dict[str, Attack] = {"deepfool": DeepFool(), "fgsm": FGSM(EPSILON), "pgd": PGD}
HALVES_ATTACKS: dict[str, Attack] = {  # the first is the paper's own
    "lbfgs": LBFGS(search_steps=6, iterations=10),
    "deepfool": DeepFool(),
    "fgsm": FGSM(EPSILON),
}
GRADIENTS = 40  # that the three take for one image, about


def transfer_jobs(materials: Materials, networks: Sequence[str]) -> list[Job]:
    """A job for each family whose networks are all among ``networks`` (keys), and with the default one that of the halves."""
    examples = [
        _examples_job(materials, keys, f"{name}-examples", count)
        for name, (keys, count) in FAMILIES.items()
        if set(keys) <= set(networks)
    ]
    return [_halves_job(materials), *examples] if QUICK_MODEL in networks else examples


def _examples_job(materials: Materials, keys: Sequence[str], name: str, count: int) -> Job:
    path = materials.results / f"{name}.json"
    parts = Parts(path, MatrixRow, "attacks", identities(ATTACKS), lambda row: row.like or row.perturbation)

    def images() -> ImageSet:
        return materials.held_out(keys[0]).shuffled(torch.Generator().manual_seed(0)).prefix(count)

    def table() -> Table:
        stated = provenance_of(materials, keys) | {"seed": 0}
        measured: dict[str, Any] = {"held_out": f"{len(images())} of the {stated['held_out']}"}
        title = f"{' + '.join(materials.card(key).name for key in keys)}: examples made for one image"
        return parts.table(title, stated | measured, materials.cards())

    def is_done() -> bool:
        examples = {made_on(attack, key, source) for key, attack in ATTACKS.items() for source in keys}
        noise = {as_large(kind, attack, key) for key, attack in ATTACKS.items() for kind in NOISES}
        return examples | noise <= set(whole_rows(table().rows, keys))

    def run() -> Iterator[str]:
        networks, so_far = [materials.network(key) for key in keys], table()
        names = network_names(materials.cards())
        for key, attack in ATTACKS.items():
            known = whole_rows(so_far.rows, keys)
            so_far.rows[:] = [row for row in so_far.rows if row.origin in known]
            for row in cross_model(networks, images(), attack, key, 0, known):
                parts.add(so_far, row)
                yield f"{origin_name(row.origin, names)} on {names[row.network]}: {row.fooling_rate}"

    return Job("transfer", name, dict.fromkeys(keys, count * GRADIENTS), is_done, run)


def _halves_job(materials: Materials) -> Job:
    path, source = materials.results / "halves.json", materials.source(QUICK_MODEL)
    stated: dict[str, Any] = {
        "pictures": f"{CLASSES} classes of {source.stem}",
        "networks": {learner.key: learner.settings for learner in LEARNERS},
        "recipe": settings(RECIPE),
        "attacks": identities(HALVES_ATTACKS),
        "seed": 0,
    }

    def is_done() -> bool:
        found = readable(path, MatrixRow)
        return found is not None and all(found.provenance.get(name) == value for name, value in stated.items())

    def run() -> Iterator[str]:
        craft, held_out = open_for_halves(source)
        rows: list[MatrixRow] = []
        accuracy: dict[str, str] = {}
        for row in cross_training(craft, held_out, HALVES_ATTACKS, 0):
            if isinstance(row, LearnerRow):
                accuracy[row.network] = str(row.accuracy)
                yield f"{row.network}, epoch {row.epoch}: accuracy {row.accuracy}"
            else:
                rows.append(row)
                yield f"{origin_name(row.origin, LEARNER_NAMES)} on {row.network}: {row.fooling_rate}"
        measured = {"held_out": f"{len(held_out)} images of {held_out.name}", "accuracy": accuracy}
        title = f"Trained on two halves of {len(craft)} images of {stated['pictures']}"
        write_table(Table(title, rows, stated | measured | versions()), path)

    return Job("transfer", "halves", {QUICK_MODEL: 1000}, is_done, run)  # of networks that are a tenth of that one
