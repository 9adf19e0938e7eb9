"""defend: what helps, and whether it still does against a pattern crafted through the defence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uap_core.cli.inputs import craft_and_held_out, open_zoo
from uap_core.cli.options import Data, FigureFile, Folder, Model, Seed, TableFile
from uap_core.cli.outputs import check_table_and_figure, provenance, tell, write_rows
from uap_core.io.paths import PERTURBATIONS
from uap_core.models.zoo import QUICK_MODEL

if TYPE_CHECKING:
    from uap_core.experiments.defences import DefenceRow
    from uap_core.experiments.detector import DetectorRow


def defend(
    model: Model = QUICK_MODEL,
    perturbation: Annotated[
        Path | None, typer.Option(help="The fixed pattern; the ready-made one of this network when left out.")
    ] = None,
    data: Data = None,
    epsilon: Annotated[str, typer.Option(help="Radius of the ball, like 10/255; the pattern's own when left out.")] = "",
    budget: Annotated[int, typer.Option(min=1, help="Image-gradients for each pattern that is crafted anew.")] = 1000,
    images: Annotated[int, typer.Option(min=1, help="Craft on, and measure on, at most this many images.")] = 300,
    detector: Annotated[
        bool, typer.Option("--detector", help="Also the detector: AUC of each attack, knowing it or not.")
    ] = False,
    out: TableFile = None,
    figure: FigureFile = None,
    seed: Seed = 0,
    folder: Folder = None,
) -> None:
    """Measure defences (JPEG, blur, bits, crop, adversarially trained variants) against a fixed pattern and an adaptive one."""
    import torch

    from uap_core.crafting.detector_aware import Unnoticed
    from uap_core.crafting.menu import build
    from uap_core.defences.transforms import DEFENCES
    from uap_core.experiments.defences import Crafting, defence_rows
    from uap_core.experiments.detector import detector_rows
    from uap_core.identity import identity
    from uap_core.models.robust_variants import trained_twins
    from uap_core.norms import Ball
    from uap_core.perturbations.perturbation import load_perturbation

    check_table_and_figure(out, figure)
    zoo = open_zoo(folder)
    classifier, pattern = zoo.load(model), load_perturbation(perturbation or PERTURBATIONS / f"{model}-linf10.safetensors")
    method = build("default", budget, classifier.shape)
    pattern = pattern.scaled_to(Ball.parse(epsilon, pattern.ball.p).radius) if epsilon else pattern
    craft_set, held_out = (
        some.shuffled(torch.Generator().manual_seed(seed)).prefix(images) for some in craft_and_held_out(classifier, data)
    )
    print(f"{pattern.name} ({pattern.ball}) on {classifier.card.name}, {len(held_out)} images of {held_out.name}", flush=True)
    print(f"{'defence':30} {'clean':>7} {'fixed':>7} {'anew':>7} {'signs':>7}  gradient", flush=True)
    found = defence_rows(classifier, DEFENCES, pattern, craft_set, held_out, method, seed, trained_twins(zoo, model))
    rows = tell((row for row in found if not isinstance(row, Crafting)), _defence)
    if detector:
        curves = detector_rows(
            classifier, pattern, craft_set, held_out, Unnoticed(budget=2 * budget), torch.Generator().manual_seed(seed)
        )
        tell((curve for curve in curves if not isinstance(curve, Crafting)), _detected)
    title = f"Defences, {classifier.card.name}: {len(held_out)} held-out images"
    crafted_on = f"{len(craft_set)} images of {craft_set.name}"
    stated = {"perturbation": pattern.name, **identity(method), "crafted_on": crafted_on}
    write_rows(out, title, rows, provenance(classifier, held_out, seed) | stated)
    if figure:
        from uap_core.plots.defences import defences_figure

        defences_figure(rows, title).savefig(figure)


def _defence(row: DefenceRow) -> str:
    from uap_core.defences.names import defence_name
    from uap_core.defences.transforms import GRADIENTS

    rates = (row.clean, row.fixed, row.crafted_anew, row.random_signs)
    return f"{defence_name(row.defence):30} {' '.join(f'{rate.value:7.1%}' for rate in rates)}  {GRADIENTS[row.gradient]}"


def _detected(roc: list[DetectorRow]) -> str:
    from uap_core.experiments.detector import NAMES

    first = roc[0]
    interval = f"{first.auc_low:.3f} to {first.auc_high:.3f}"
    return f"entropy of a deep layer, {NAMES[first.attack]}: AUC {first.auc:.3f} ({interval}), fools {first.fooled.value:.1%}"
