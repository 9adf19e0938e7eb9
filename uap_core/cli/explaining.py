"""why, lipschitz: what there is about a network that lets one pattern fool it, and what bounds of its layers say to that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uap_core.cli.inputs import craft_and_held_out, held_out_only, open_zoo
from uap_core.cli.options import Data, Folder, Model, Seed
from uap_core.cli.outputs import check_table_and_figure, provenance, tell, write_rows
from uap_core.io.paths import PERTURBATIONS
from uap_core.models.zoo import QUICK_MODEL
from uap_core.norms import to_levels

if TYPE_CHECKING:
    from uap_core.experiments.certified_radius import RadiusRow
    from uap_core.experiments.label_graph import Move
    from uap_core.experiments.normals import SingularRow


def why(
    model: Model = QUICK_MODEL,
    perturbation: Annotated[
        Path | None, typer.Option(help="The universal pattern; the ready-made l2 one of this network when left out.")
    ] = None,
    data: Data = None,
    normals: Annotated[int, typer.Option(min=2, help="Take the normals of the boundary at so many craft images.")] = 100,
    images: Annotated[int, typer.Option(min=1, help="Measure on at most this many held-out images.")] = 200,
    out: Annotated[Path | None, typer.Option(help="Folder for the rows, a .json for each table.")] = None,
    seed: Seed = 0,
    folder: Folder = None,
) -> None:
    """Why there are universal patterns: normals of the boundary, the directions that matter, and where the labels go."""
    import torch

    from uap_core.experiments import directions
    from uap_core.experiments.label_graph import label_moves
    from uap_core.experiments.normals import NAMES, lengths, spectrum, subspace_rates, unit_normals
    from uap_core.metrics import predict
    from uap_core.perturbations.perturbation import load_perturbation

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    classifier = open_zoo(folder).load(model)
    pattern = load_perturbation(perturbation or PERTURBATIONS / f"{model}-l2.safetensors")
    generator = torch.Generator().manual_seed(seed)
    craft_set, held_out = craft_and_held_out(classifier, data)
    craft_set, held_out = craft_set.shuffled(generator).prefix(normals), held_out.shuffled(generator).prefix(images)
    print(f"{classifier.card.name}: normals of {len(craft_set)} craft images, measured on {len(held_out)} others", flush=True)
    found = torch.cat(list(unit_normals(classifier, craft_set)))
    values = spectrum(found, generator)
    _tell_steepness(values)
    clean = predict(classifier, held_out.batches())
    spaces = tell(
        subspace_rates(classifier, found, held_out, clean, lengths(classifier.size), generator),
        lambda row: f"l2 {to_levels(row.norm):.0f}/255  {NAMES[row.space]}, {row.dimension} dimensions: {row.fooling_rate}",
    )
    draws = directions.blind_directions(pattern.pattern, craft_set, generator)
    draws |= directions.adversarial_directions(found, generator)
    draws |= directions.fast_directions(classifier, craft_set, generator)
    rates = tell(
        directions.direction_rates(classifier, held_out, clean, draws),
        lambda row: f"l2 {to_levels(row.norm):4.0f}/255  {directions.NAMES[row.direction]:30} {row.fooling_rate}",
    )
    *_, moves = label_moves(classifier, pattern, held_out)
    _tell_labels(moves)
    details = provenance(classifier, held_out, seed) | {"normals_of": len(craft_set), "perturbation": pattern.name}
    for name, table in (("normals", values), ("subspace", spaces), ("directions", rates), ("dominant", moves)):
        write_rows(out and out / f"{model}-{name}.json", classifier.card.name, table, details)


def _tell_steepness(values: Sequence[SingularRow]) -> None:
    from uap_core.experiments.normals import NAMES, steepness

    for kind, factor in steepness(values).items():
        first, last = (next(row.value for row in rows if row.kind == kind) for rows in (values, values[::-1]))
        print(f"singular values of {NAMES[kind]:24} from {first:.3f} down to {last:.3f}: {factor:.3g} times", flush=True)


def _tell_labels(moves: Sequence[Move]) -> None:
    """Print the ten labels that attract most images under the pattern, and the shape of the label graph."""
    from uap_core.experiments import label_graph as dominant

    graph = dominant.edges(moves)
    for label, into in list(dominant.hubs(graph).items())[:10]:
        print(f"{label:24} is what {len(into)} labels mostly become ({sum(edge.rate.count for edge in into)} images)")
    for count in (1, 3, 10):
        print(f"labels that take most, {count:2}: {dominant.share_of_top(moves, count)}")
    print(f"connected parts of the graph: {len(dominant.components(graph))}")


def lipschitz(
    model: Model = QUICK_MODEL,
    data: Data = None,
    images: Annotated[int, typer.Option(min=1, help="Compare with attacks on at most this many held-out images.")] = 16,
    out: Annotated[
        Path | None, typer.Option(help="Also write the layers: .csv or .json; the images go beside it, NAME-certified.")
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Also draw the layers: .png, .svg or .pdf.")] = None,
    seed: Seed = 0,
    folder: Folder = None,
) -> None:
    """How far can a change move the logits? Upper bounds of all layers, and what they certify beside what DeepFool finds."""
    import torch

    from uap_core.experiments.certified_radius import as_text, conclusion, layer_rows, radii

    check_table_and_figure(out, figure)
    classifier = open_zoo(folder).load(model)
    held_out = held_out_only(classifier, data).shuffled(torch.Generator().manual_seed(seed)).prefix(images)
    layers = tell(layer_rows(classifier, torch.Generator().manual_seed(seed)), as_text)
    found = tell(radii(classifier, held_out, layers[-1].running), _radius)
    print(conclusion(layers[-1].running, found))
    details = provenance(classifier, held_out, seed)
    write_rows(out, f"{classifier.card.name}: layers", layers, details)
    write_rows(out and out.with_stem(f"{out.stem}-certified"), f"{classifier.card.name}: certified radii", found, details)
    if figure:
        from uap_core.plots.lipschitz import layers_figure

        layers_figure(layers, classifier.card.name).savefig(figure)


def _radius(row: RadiusRow) -> str:
    needed = "nothing found" if row.found is None else f"found {row.found:.3g}"
    return f"{row.image:28} {row.label:24} margin {row.margin:6.3f}  certified {row.certified:.2g}  {needed}"
