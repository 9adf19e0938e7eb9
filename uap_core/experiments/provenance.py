"""From a finished run to a perturbation that says how it was made and what it does to images that it was not made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.base import Crafter, Progress
from uap_core.crafting.problem import MEAN
from uap_core.datasets.image_sets import ImageSet
from uap_core.experiments.evaluation import Evaluation, evaluate
from uap_core.identity import identity
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation, versions

NO_IMAGES = "no images"  # what a pattern of a method that needs none was crafted on


def with_provenance(
    name: str,
    crafter: Crafter,
    networks: Sequence[Classifier],
    craft_set: ImageSet | None,
    ball: Ball,
    criterion: Criterion,
    seed: int,
    last: Progress,
    ensemble: str = MEAN,
) -> Perturbation:
    """The pattern of the ``last`` progress of a run, with what it takes to repeat the run; ``craft_set`` is None for none."""
    provenance: dict[str, Any] = {
        "network": ", ".join(network.card.key for network in networks),
        "weights_sha256": ", ".join(network.weights_hash for network in networks),
        "weights_from": "; ".join(network.card.source for network in networks),
        **identity(crafter),
        "craft_set": f"{len(craft_set)} images of {craft_set.name}" if craft_set and crafter.needs_images else NO_IMAGES,
        "image_gradients": last.image_gradients,
        "seconds": round(last.seconds, 1),
        "seed": seed,
        **versions(),
    }
    if criterion.target is not None:
        provenance["target"] = networks[0].labels[criterion.target]
    if len(networks) > 1:
        provenance["ensemble"] = ensemble
    return Perturbation(name, last.perturbation, ball, provenance)


def with_held_out(
    perturbation: Perturbation, networks: Sequence[Classifier], held_out: ImageSet, criterion: Criterion, seed: int
) -> tuple[Perturbation, list[Evaluation]]:
    """The same perturbation with its rates on ``held_out`` stated, and the evaluations, one a network."""
    found = [
        evaluate(network, perturbation, held_out, torch.Generator().manual_seed(seed), target=criterion.target)
        for network in networks
    ]
    stated: dict[str, Any] = {"set": f"{len(held_out)} images of {held_out.name}"}
    for network, evaluation in zip(networks, found, strict=True):
        rates = {
            "fooling_rate": round(evaluation.universal.value, 4),
            "random_signs": round(evaluation.random_signs.value, 4),
        }
        if evaluation.target_rate is not None:
            rates["target_rate"] = round(evaluation.target_rate.value, 4)
        stated |= rates if len(networks) == 1 else {network.card.key: rates}
    return replace(perturbation, provenance=perturbation.provenance | {"held_out": stated}), found
