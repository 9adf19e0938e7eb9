"""transfer, halves: whom else a change fools, other networks, and networks trained on other pictures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uap_core.attacks.menu import MENU
from uap_core.cli.inputs import held_out_only, open_zoo
from uap_core.cli.options import Data, Epsilon, Folder, Seed, TableFile
from uap_core.cli.outputs import TABLES, check_file, provenance, tell, write_rows
from uap_core.errors import SettingError
from uap_core.models.zoo import QUICK_MODEL

if TYPE_CHECKING:
    from uap_core.experiments.origins import MatrixRow


def transfer(
    model: Annotated[list[str], typer.Option(help="Key of a network; name several, of one input size.")] = [QUICK_MODEL],  # noqa: B006
    data: Data = None,
    attack: Annotated[str, typer.Option(help=f"What makes the examples: one of {', '.join(MENU)}.")] = "deepfool",
    epsilon: Epsilon = "10/255",
    images: Annotated[int, typer.Option(min=1, help="Make examples from at most this many held-out images.")] = 100,
    out: TableFile = None,
    seed: Seed = 0,
    folder: Folder = None,
) -> None:
    """Who fools whom: every pattern of the library on every network named, then examples made for each image on each.

    Random signs and Gaussian noise of the same norm for comparison. A star marks patterns made on that network.
    """
    import torch

    from uap_core.experiments.transfer_examples import cross_model, made_to_transfer
    from uap_core.experiments.transfer_matrix import as_text, fooling_matrix
    from uap_core.identity import identity
    from uap_core.models.names import network_names
    from uap_core.norms import Ball
    from uap_core.perturbations.library import library as ready_made
    from uap_core.perturbations.perturbation import load_perturbation
    from uap_core.precompute.recipes import L2_2000, LINF10

    check_file(out, *TABLES)
    maker = made_to_transfer(attack, Ball.parse(epsilon).radius)
    zoo = open_zoo(folder)
    networks = [zoo.load(key) for key in dict.fromkeys(model)]
    if len({network.size for network in networks}) > 1:
        raise SettingError("A pattern fits one size: name networks that take pictures of the same size.")
    held_out = held_out_only(networks[0], data)
    some = held_out.shuffled(torch.Generator().manual_seed(seed)).prefix(images)
    entries = [entry for entry in ready_made() if entry.side == networks[0].size]
    names = network_names(zoo.cards()) | {entry.key: entry.name for entry in entries}
    patterns = {entry.key: load_perturbation(entry.path) for entry in entries}
    cell = partial(_cell, names)
    print(f"One pattern for all of {len(held_out)} images of {held_out.name}: fooling rates", flush=True)
    matrix = tell(fooling_matrix(patterns, networks, held_out, (LINF10, L2_2000), seed), cell)
    print(as_text(matrix, names))
    print(f"\nExamples made for each of {len(some)} images of {held_out.name}: fooling rates, average distortion", flush=True)
    examples = tell(cross_model(networks, some, maker, attack, seed), cell)
    print(as_text(examples, names))
    details = provenance(networks[0], held_out, seed) | {
        "network": ", ".join(network.card.key for network in networks),
        "weights_sha256": ", ".join(network.weights_hash for network in networks),
        "examples": {"images": len(some), **identity(maker)},
    }
    write_rows(out, f"Who fools whom, {len(held_out)} held-out images", [*matrix, *examples], details)


def _cell(names: Mapping[str, str], row: MatrixRow) -> str:
    from uap_core.experiments.origins import origin_name

    return f"{origin_name(row.origin, names)} on {names[row.network]}: {row.fooling_rate}"


def halves(
    data: Annotated[Path, typer.Option(help="Folder or zip of pictures, one folder a class.")],
    attack: Annotated[list[str], typer.Option(help=f"Some of {', '.join(MENU)}.")] = ["lbfgs", "deepfool"],  # noqa: B006
    epsilon: Epsilon = "10/255",
    out: TableFile = None,
    seed: Seed = 0,
) -> None:
    """Train small networks on two halves with no picture in common, and see whether examples fool across the halves."""
    from uap_core.experiments.disjoint_training import LEARNER_NAMES, LearnerRow, cross_training, open_for_halves
    from uap_core.experiments.transfer_examples import made_to_transfer
    from uap_core.experiments.transfer_matrix import as_text
    from uap_core.identity import identities
    from uap_core.norms import Ball
    from uap_core.perturbations.perturbation import versions

    check_file(out, *TABLES)
    attacks = {key: made_to_transfer(key, Ball.parse(epsilon).radius) for key in attack}
    craft_set, held_out = open_for_halves(data)
    rows: list[MatrixRow] = []
    accuracies: dict[str, str] = {}
    for row in cross_training(craft_set, held_out, attacks, seed):
        if isinstance(row, LearnerRow):
            accuracies[row.network] = str(row.accuracy)
            print(f"{LEARNER_NAMES[row.network]}  epoch {row.epoch:2}  accuracy {row.accuracy}", flush=True)
        else:
            rows.append(row)
    print(as_text(rows, LEARNER_NAMES))
    stated = {"held_out": f"{len(held_out)} images of {held_out.name}", "accuracy": accuracies, "seed": seed}
    stated |= {"attacks": identities(attacks), **versions()}
    write_rows(out, f"Trained on two halves of {len(craft_set)} images of {craft_set.name}", rows, stated)
