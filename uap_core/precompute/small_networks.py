"""Precomputed tables of the small networks: who reads whose examples, one pattern for each, and what holds errors down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from uap_core.attacks.lbfgs import LBFGS
from uap_core.experiments.small_networks.crossing import CrossRow, crossed, read_by_all
from uap_core.experiments.small_networks.learners import HALVES, SIX, TAUGHT, TESTED, Learner, Taught, taught
from uap_core.experiments.small_networks.regularisers import (
    ALPHAS,
    ARMS,
    FGSM_EPSILON,
    PICTURES,
    SEEDS,
    RegulariserRow,
    mixture,
    regulariser_row,
)
from uap_core.experiments.small_networks.universal import BALL, CRAFT_DIGITS, HELD_OUT, METHOD, UniversalRow, universal_row
from uap_core.experiments.so_far import readable
from uap_core.identity import identity
from uap_core.io.results import Table, write_table
from uap_core.models.zoo import QUICK_MODEL
from uap_core.perturbations.perturbation import versions
from uap_core.precompute.materials import Job, Materials

ATTACK = LBFGS(search_steps=6, iterations=25)
IMAGES = 200
NOISE = {"six": (0.1, 0.3), "halves": (0.06, 0.1)}
AMPLIFIED = 0.1
PATTERN = {"ball": str(BALL), **identity(METHOD), "craft_set": f"{CRAFT_DIGITS} drawn digits"}


def small_jobs(materials: Materials, networks: Sequence[str]) -> list[Job]:
    """The jobs of the small networks, which come with the default network: they need no pictures and seconds each."""
    if QUICK_MODEL not in networks:
        return []
    return [
        _crossing(materials, "six", SIX, None),
        _crossing(materials, "halves", HALVES, AMPLIFIED),
        _universal(materials),
        _regularisers(materials),
    ]


def _crossing(materials: Materials, group: str, learners: Sequence[Learner], amplified: float | None) -> Job:
    stated = {
        "learners": {learner.key: learner.settings for learner in learners},
        "taught_on": f"{TAUGHT} drawn digits",
        "held_out": f"{IMAGES} drawn digits that all of them read right",
        **identity(ATTACK),
        "noise": list(NOISE[group]),
        "amplified": amplified,
        "seed": 0,
    }

    def run() -> Iterator[str]:
        done = [step for step in taught(learners) if isinstance(step, Taught)]
        networks = [found.classifier for found in done]
        rows: list[CrossRow] = []
        for step in crossed(networks, read_by_all(networks, IMAGES), ATTACK, NOISE[group], 0, amplified):
            if isinstance(step, CrossRow):
                rows.append(step)
            else:
                yield f"{step:.0%}"
        measured = {
            "accuracy": {found.learner.key: str(found.accuracy) for found in done},
            "tested_on": f"{TESTED} drawn digits",
        }
        write_table(Table("Small networks on drawn digits", rows, stated | measured | versions()), _path(materials, group))

    return _job(materials, f"digits-{group}", CrossRow, stated, run)


def _universal(materials: Materials) -> Job:
    learners = {learner.key: learner.settings for learner in SIX}
    stated = {"learners": learners, **PATTERN, "held_out": f"{HELD_OUT} drawn digits", "seed": 0}

    def run() -> Iterator[str]:
        rows = []
        for step in taught(SIX):
            if isinstance(step, Taught):
                rows.append(universal_row(step.classifier))
                yield f"{step.learner.key}: {rows[-1].fooled}"
        write_table(Table("One pattern for each small network", rows, stated | versions()), _path(materials, "universal"))

    return _job(materials, "digits-universal", UniversalRow, stated, run)


def _regularisers(materials: Materials) -> Job:
    arms = ARMS | {f"alpha-{alpha:g}": mixture(alpha) for alpha in ALPHAS}
    stated = {
        "arms": {key: arm.settings for key, arm in arms.items()},
        "taught_on": f"{PICTURES} drawn digits",
        "seeds": SEEDS,
        "fgsm_epsilon": FGSM_EPSILON,
        "pattern": PATTERN,
        "held_out": f"{TESTED} drawn digits",
    }

    def run() -> Iterator[str]:
        rows: list[RegulariserRow] = []
        for key, arm in arms.items():
            for seed in range(SEEDS):
                rows += [step for step in regulariser_row(key, arm, seed) if isinstance(step, RegulariserRow)]
                yield f"{key}, seed {seed}: errors {rows[-1].errors}"
        write_table(Table("Regularisers on drawn digits", rows, stated | versions()), _path(materials, "regularisers"))

    return _job(materials, "digits-regularisers", RegulariserRow, stated, run)


def _path(materials: Materials, name: str) -> Any:
    return materials.results / f"digits-{name}.json"


def _job(materials: Materials, name: str, kind: type, stated: dict[str, Any], run: Any) -> Job:
    def is_done() -> bool:
        found = readable(materials.results / f"{name}.json", kind)
        return found is not None and all(found.provenance.get(key) == value for key, value in stated.items())

    return Job("small", name, {}, is_done, run)
