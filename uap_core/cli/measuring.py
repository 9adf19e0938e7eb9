"""evaluate, sweep, curve: what a pattern does to held-out images, at each strength, and from how many craft images."""

from __future__ import annotations

from typing import Annotated

import typer

from uap_core.cli.inputs import craft_and_held_out, held_out_only, open_zoo
from uap_core.cli.options import Data, Epsilon, FigureFile, Folder, Model, Norm, Pattern, Seed, TableFile
from uap_core.cli.outputs import check_table_and_figure, provenance, tell, tell_evaluation, write_rows
from uap_core.models.zoo import QUICK_MODEL
from uap_core.norms import to_levels


def evaluate(
    perturbation: Pattern, model: Model = QUICK_MODEL, data: Data = None, seed: Seed = 0, folder: Folder = None
) -> None:
    """Print the fooling rate of a pattern on held-out images, of random signs of the same norm, and the loss of accuracy."""
    import torch

    from uap_core.experiments.evaluation import evaluate as measure
    from uap_core.perturbations.perturbation import load_perturbation

    classifier, pattern = open_zoo(folder).load(model), load_perturbation(perturbation)
    held_out = held_out_only(classifier, data, pattern)
    measured = measure(classifier, pattern, held_out, torch.Generator().manual_seed(seed))
    name = pattern.name if str(pattern.ball) in pattern.name else f"{pattern.name} ({pattern.ball})"
    tell_evaluation(measured, f"{name} on {len(held_out)} images of {held_out.name}")


def sweep(
    perturbation: Pattern,
    model: Model = QUICK_MODEL,
    data: Data = None,
    out: TableFile = None,
    figure: FigureFile = None,
    seed: Seed = 0,
    folder: Folder = None,
) -> None:
    """Fooling rate against epsilon: the pattern, random signs of the same norm, FGSM made for each image."""
    import torch

    from uap_core.experiments.epsilon_sweep import NAMES, epsilon_sweep
    from uap_core.perturbations.perturbation import load_perturbation

    check_table_and_figure(out, figure)
    classifier, pattern = open_zoo(folder).load(model), load_perturbation(perturbation)
    held_out = held_out_only(classifier, data, pattern)
    rows = tell(
        epsilon_sweep(classifier, pattern, held_out, torch.Generator().manual_seed(seed)),
        lambda row: f"{NAMES[row.attack]:14}  epsilon {to_levels(row.epsilon):4.1f}/255  {row.fooling_rate}",
    )
    details = provenance(classifier, held_out, seed) | {"perturbation": pattern.name}
    write_rows(out, f"{pattern.name} on {classifier.card.name}, {len(held_out)} held-out images", rows, details)
    if figure:
        from uap_core.plots.epsilon import sweep_figure

        sweep_figure(rows, classifier.card.name).savefig(figure)


def curve(
    model: Model = QUICK_MODEL,
    data: Data = None,
    epsilon: Epsilon = "10/255",
    p: Norm = "linf",
    most: Annotated[int, typer.Option(min=1, help="The largest number of craft images.")] = 2048,
    budget: Annotated[int, typer.Option(min=1, help="Image-gradients for each point.")] = 3200,
    seeds: Annotated[int, typer.Option(min=1, help="Repeat with this many seeds, 0, 1, ...")] = 1,
    out: TableFile = None,
    figure: FigureFile = None,
    folder: Folder = None,
) -> None:
    """Fooling rate on the held-out images against the number of craft images: nested prefixes 1, 2, 4, ..."""
    from uap_core.crafting.menu import build
    from uap_core.experiments.sample_curve import nested_sizes, sample_curve
    from uap_core.identity import identity
    from uap_core.norms import Ball

    check_table_and_figure(out, figure)
    classifier, ball = open_zoo(folder).load(model), Ball.parse(epsilon, p)
    craft_set, held_out = craft_and_held_out(classifier, data)
    method, sizes = build("default", budget, classifier.shape), nested_sizes(min(most, len(craft_set)))
    rows = tell(
        (
            row
            for seed in range(seeds)
            for row in sample_curve(classifier, method, craft_set, held_out, ball, sizes, seed)
            if row.done
        ),
        lambda row: f"seed {row.seed}  {row.images:6} images  held-out {row.held_out_rate}",
    )
    title = f"{classifier.card.name}, {ball}, {len(held_out)} held-out images"
    details = provenance(classifier, held_out, 0) | {"seeds": seeds, **identity(method), "ball": str(ball)}
    write_rows(out, title, rows, details)
    if figure:
        from uap_core.plots.axes import BLUE
        from uap_core.plots.samples import Curve, sample_figure

        sample_figure([Curve(rows, held_out.name, BLUE)], title).savefig(figure)
