"""feel, limit: what a network feels under a pattern; how near short runs come to the ceiling, and who never falls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uap_core.cli.inputs import craft_and_held_out, held_out_only, open_zoo
from uap_core.cli.options import Data, FigureFile, Folder, Model, Seed
from uap_core.cli.outputs import FIGURES, check_file, provenance, tell, write_rows
from uap_core.errors import SettingError
from uap_core.io.paths import PERTURBATIONS
from uap_core.models.zoo import QUICK_MODEL

if TYPE_CHECKING:
    from uap_core.experiments.class_map_rows import MapRow
    from uap_core.experiments.feature_channels import ChannelRow
    from uap_core.experiments.limit import LimitRow

OutFolder = Annotated[Path | None, typer.Option(help="Folder for the rows, a .json for each table.")]


def feel(
    model: Model = QUICK_MODEL,
    perturbation: Annotated[
        Path | None, typer.Option(help="The pattern; the ready-made l_inf one of this network when left out.")
    ] = None,
    data: Data = None,
    images: Annotated[int, typer.Option(min=2, help="Look at at most this many held-out images.")] = 300,
    photo: Annotated[str, typer.Option(help="Sample photograph whose class maps are printed.")] = "running",
    out: OutFolder = None,
    seed: Seed = 0,
    folder: Folder = None,
) -> None:
    """What the network feels: whether features gather under a pattern, which channels it switches on, what it looks at."""
    import numpy as np
    import torch

    from uap_core.experiments.class_map import map_rows
    from uap_core.experiments.feature_channels import channel_rows
    from uap_core.experiments.feature_passes import passes
    from uap_core.experiments.feature_plane import conclusion, plane_rows
    from uap_core.experiments.shipped_pictures import shipped_pictures
    from uap_core.images.photographs import SAMPLE_PHOTOS
    from uap_core.images.reading import from_array, square
    from uap_core.perturbations.perturbation import load_perturbation

    chosen = [sample for sample in SAMPLE_PHOTOS if sample.key == photo]
    if not chosen:
        raise SettingError(f"There is no sample photograph {photo!r}. Known: {', '.join(s.key for s in SAMPLE_PHOTOS)}.")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    classifier = open_zoo(folder).load(model)
    pattern = load_perturbation(perturbation or PERTURBATIONS / f"{model}-linf10.safetensors")
    held_out = held_out_only(classifier, data, pattern).shuffled(torch.Generator().manual_seed(seed)).prefix(images)
    *_, felt = passes(classifier, pattern, held_out, torch.Generator().manual_seed(seed))
    plane = plane_rows(felt, classifier.labels)
    print(conclusion(plane))
    channels = tell(channel_rows(classifier, felt, shipped_pictures(classifier.card)), _channel)
    card = classifier.card
    picture = square(chosen[0].open(), card.resize_size, card.input_size, card.interpolation)
    maps = tell(map_rows(classifier, from_array(np.asarray(picture)), pattern), _map)
    details = provenance(classifier, held_out, seed) | {"perturbation": pattern.name}
    for name, table in (("plane", plane), ("channels", channels), ("maps", maps)):
        write_rows(out and out / f"{model}-feels-{name}.json", card.name, table, details)


def _channel(row: ChannelRow) -> str:
    return (
        f"channel {row.channel:4}: mean activation {row.clean:.3g} -> {row.pattern:.3g}, with random signs "
        f"{row.random_signs:.3g}; most excited by {', '.join(row.pictures)}"
    )


def _map(row: MapRow) -> str:
    """The map as lines of digits: 9 where the class is spoken for most."""
    most, width = max(1e-9, *row.values), len(row.values) // row.height
    digits = ["".join(str(round(9 * max(0.0, value) / most)) for value in row.values[at : at + width])
              for at in range(0, len(row.values), width)]  # fmt: skip
    return "\n  ".join([f"{row.of}: {row.label}, {row.probability:.1%} sure ({row.kind} map)", *digits])


def limit(
    model: Model = QUICK_MODEL,
    data: Data = None,
    budget: Annotated[list[int] | None, typer.Option(help="Image-gradients of a run; name several. 2000 and 10000.")] = None,
    images: Annotated[int, typer.Option(min=1, help="Craft on at most this many images.")] = 500,
    out: OutFolder = None,
    figure: FigureFile = None,
    seed: Seed = 0,
    folder: Folder = None,
) -> None:
    """How near short runs of the default method come to long ones, which held-out images never fall, and why perhaps."""
    import torch

    from uap_core.experiments.limit import NAMES, fallen, limit_rows, never_row, trait_rows, traits
    from uap_core.norms import Ball
    from uap_core.perturbations.library import library
    from uap_core.perturbations.perturbation import load_perturbation

    check_file(figure, *FIGURES)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    classifier, ball = open_zoo(folder).load(model), Ball("linf", 10 / 255)
    craft_set, held_out = craft_and_held_out(classifier, data)
    craft_set = craft_set.shuffled(torch.Generator().manual_seed(seed)).prefix(images)
    made = tell(
        limit_rows(classifier, craft_set, held_out, ball, sorted(budget or (2000, 10_000)), seed), lambda one: _run(one[0])
    )
    rows, patterns = [row for row, _ in made], [pattern for _, pattern in made]
    own = [entry for entry in library() if entry.networks == (model,) and entry.ball == ball]
    patterns += [load_perturbation(entry.path).pattern for entry in own]
    found = traits(classifier, held_out.pixels, held_out.truth(classifier.class_ids))
    falls = fallen(classifier, held_out.pixels, patterns, found["label"])
    names = [f"{row.image_gradients} image-gradients" for row in rows] + [entry.key for entry in own]
    never = never_row(model, names, found["label"], falls, classifier.labels)
    print(f"no pattern of {len(names)} fools {never.never}; most of those: {', '.join(never.labels)}")
    compared = tell(
        trait_rows(model, found, falls),
        lambda row: (
            f"{NAMES[row.trait]}: never {row.never:.4g} +- {row.never_half:.2g}, "
            f"falls {row.falls:.4g} +- {row.falls_half:.2g}, AUC {row.auc:.2f}"
        ),
    )
    details = provenance(classifier, held_out, seed) | {"patterns": names}
    for name, table in (("runs", rows), ("never", [never]), ("traits", compared)):
        write_rows(out and out / f"{model}-limit-{name}.json", classifier.card.name, table, details)
    if figure:
        from uap_core.plots.limits import limit_figure

        limit_figure(rows, {model: classifier.card.name}, f"{classifier.card.name}, {len(held_out)} held-out images").savefig(
            figure
        )


def _run(row: LimitRow) -> str:
    spent = f"{row.image_gradients} image-gradients from {row.images} images"
    return f"{spent}: {row.fooling_rate}, random signs {row.random_signs:.1%}"
