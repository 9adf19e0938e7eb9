"""craft, convert: make a pattern from images, or read one from a file of another project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uap_core.cli.inputs import craft_and_held_out, held_out_only, open_zoo
from uap_core.cli.options import Data, Epsilon, Folder, Name, Norm, Seed
from uap_core.cli.outputs import check_file, check_other, tell_evaluation
from uap_core.crafting.menu import MENU, for_pictures, method_class
from uap_core.errors import SettingError
from uap_core.models.zoo import QUICK_MODEL, dreams_for

if TYPE_CHECKING:
    from uap_core.crafting.base import Crafter, Progress
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation


def craft(
    out: Annotated[Path, typer.Option(help="Where to write the pattern: .safetensors or .npy.")],
    model: Annotated[list[str], typer.Option(help="Key of a network; name several for an ensemble.")] = [QUICK_MODEL],  # noqa: B006
    data: Data = None,
    images: Annotated[int, typer.Option(min=1, help="Craft on at most this many images; some methods need none.")] = 512,
    epsilon: Epsilon = "10/255",
    p: Norm = "linf",
    method: Annotated[str, typer.Option(help=f"One of: {', '.join(MENU)}.")] = "default",
    budget: Annotated[int | None, typer.Option(help="Image-gradients at most; the method's own when left out.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step; the method's own when left out.")] = None,
    target: Annotated[str, typer.Option(help="Name of the class that every image shall become.")] = "",
    only: Annotated[
        list[str] | None, typer.Option(help="Fool only this class or group (cats, dogs, insects...); name several.")
    ] = None,
    ensemble: Annotated[str, typer.Option(help="Of several networks: descend on the mean or the worst loss.")] = "mean",
    delta: Annotated[float | None, typer.Option(help="Stop once 1 - delta of the craft images are fooled.")] = None,
    interval: Annotated[int, typer.Option(help="Image-gradients between measurements, and between saves.")] = 1000,
    bf16: Annotated[bool | None, typer.Option(help="Gradients in 16 bits; by itself where the processor is faster so.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Save the run here; go on from it if it is there.")] = None,
    seed: Seed = 0,
    name: Name = "",
    folder: Folder = None,
) -> None:
    """Craft a universal perturbation on the craft images and measure it on the held-out ones.

    The methods activations and intrinsic craft without any image; pictures are then measured on alone, if there are any.

    Under torchrun every batch is split over the processes, to the same result.
    """
    import torch

    from uap_core.attacks.criterion import Criterion
    from uap_core.crafting.distributed import process_group
    from uap_core.experiments.provenance import NO_IMAGES, with_held_out, with_provenance
    from uap_core.norms import Ball
    from uap_core.perturbations.perturbation import ENDINGS, save_perturbation

    check_file(out, *ENDINGS)
    if checkpoint is not None:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
    zoo, ball = open_zoo(folder), Ball.parse(epsilon, p)
    networks = [zoo.load(key) for key in dict.fromkeys(model)]
    options = {"budget": budget, "batch_size": batch_size, "delta": delta, "interval": interval}
    crafter = _crafter(method, bf16, options, networks[0])
    if only:
        crafter = _for_some(crafter, networks[0], only, bool(target), batch_size)
    criterion = Criterion.into(networks[0].index_of(target)) if target else Criterion()
    craft_set, held_out = _sets(networks[0], data, crafter.needs_images)
    craft_set = craft_set and craft_set.shuffled(torch.Generator().manual_seed(seed)).prefix(images)
    with process_group() as (rank, _):
        generator = torch.Generator().manual_seed(seed)
        more: Any = {"criterion": criterion, "ensemble": ensemble, "checkpoint": checkpoint}
        run = crafter.craft(networks, craft_set.pixels if craft_set else None, ball, generator, **more)
        say: Any = print if rank == 0 else lambda *_, **__: None
        seen = f"{len(craft_set)} images of {craft_set.name}" if craft_set else NO_IMAGES
        say(f"{' + '.join(n.card.name for n in networks)}, {ball}: crafting on {seen}")
        last = _last(run, say)
        if rank > 0:
            return
    result = with_provenance(name or out.stem, crafter, networks, craft_set, ball, criterion, seed, last, ensemble)
    if held_out is None:
        save_perturbation(result, out)
        print(f"Not measured: there are no pictures for {networks[0].card.name}; name some with --data.")
        return
    result, evaluations = with_held_out(result, networks, held_out, criterion, seed)
    save_perturbation(result, out)
    for network, measured in zip(networks, evaluations, strict=True):
        tell_evaluation(measured, f"{network.card.name}, held-out: {len(held_out)} images of {held_out.name}")
        if only:
            _tell_sides(network, held_out, result, only)


def _sets(network: Classifier, data: Path | None, needed: bool) -> tuple[ImageSet | None, ImageSet | None]:
    """What to craft on, none where none is ``needed``, and what to measure on; without any pictures that may be none too."""
    if needed:
        return craft_and_held_out(network, data)
    return None, held_out_only(network, data) if data or dreams_for(network.card) else None


def _last(run: Iterator[Progress], say: Callable[..., None]) -> Progress:
    """Run to the end, and ``say`` the rates that are measured on the way."""
    for progress in run:
        if progress.fooling_rate:
            into = f", into the target {progress.target_rate.value:.1%}" if progress.target_rate else ""
            say(
                f"step {progress.step:5}  {progress.image_gradients:7} image-gradients  {progress.seconds:6.1f} s"
                f"  craft set fooled {progress.fooling_rate.value:.1%}{into}",
                flush=True,
            )
    return progress


def _crafter(method: str, bf16: bool | None, options: dict[str, Any], network: Classifier) -> Crafter:
    """The method with the given options; where they are None its own defaults, for pictures of the size of ``network``."""
    from uap_core.crafting.first_order import FirstOrder
    from uap_core.models.bf16 import has_fast_bf16

    kind = method_class(method)
    chosen: dict[str, Any] = dict(for_pictures(method, network.shape))
    chosen |= {option: value for option, value in options.items() if value is not None}
    if issubclass(kind, FirstOrder):
        chosen["bf16"] = has_fast_bf16() if bf16 is None else bf16
    elif bf16:
        raise SettingError(f"The method {method!r} has no use for 16 bits.")
    return kind(**chosen)


def _for_some(crafter: Crafter, network: Classifier, only: list[str], aims: bool, batch_size: int | None) -> Crafter:
    """Ours for the classes of ``only`` alone, with the options of ``crafter``. Raises SettingError for another method.

    Half of a batch is of other classes, so it is not made smaller where pictures are large.
    """
    from uap_core.crafting.class_alone import KEEP, KEEP_WITH_TARGET, ClassAlone
    from uap_core.crafting.default import Default
    from uap_core.experiments.class_alone import classes_of

    if type(crafter) is not Default:
        raise SettingError("A pattern for some classes alone is crafted by the method 'default': leave --method out.")
    options = vars(crafter) | {"batch_size": batch_size or Default.batch_size}
    return ClassAlone(**options, classes=classes_of(network, only), keep=KEEP_WITH_TARGET if aims else KEEP)


def _tell_sides(network: Classifier, held_out: ImageSet, result: Perturbation, only: list[str]) -> None:
    """How many images of the classes and of all others it fools."""
    from uap_core.crafting.problem import clean_logits, predicted
    from uap_core.experiments.class_alone import classes_of, sides

    after = predicted(network, held_out.pixels, result.pattern)
    inside, outside, _reached = sides(clean_logits(network, held_out.pixels), after, classes_of(network, only))
    print(f"  of these classes  {inside}\n  of all others     {outside}")


class Scale(str, Enum):
    """Pixels that a foreign pattern was made for."""

    unit = "0 to 1"
    bytes = "0 to 255"


def convert(
    file: Annotated[Path, typer.Argument(help="Anybody's pattern: .npy, .npz, .pth, .mat or .safetensors.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write it: .safetensors or .npy; only told about when left out.")
    ] = None,
    array: Annotated[str, typer.Option(help="Name of the array, when the file holds several.")] = "",
    transposed: Annotated[bool, typer.Option("--transposed", help="Its columns come before its rows.")] = False,
    bgr: Annotated[bool, typer.Option("--bgr", help="Its blue channel comes first.")] = False,
    scale: Annotated[
        Scale | None, typer.Option(help="Of the pixels it is added to; told from its values when left out.")
    ] = None,
    p: Annotated[str, typer.Option(help="linf or l2; told from its values when left out.")] = "",
    name: Name = "",
) -> None:
    """Read a pattern file of another project, report how it was interpreted, and write it in this project's format.

    Channel axis, scale and norm are inferred from the values; swapped rows and columns, or colours, have to be stated.
    """
    from dataclasses import replace

    from uap_core.perturbations.importers import detect, read_arrays
    from uap_core.perturbations.perturbation import ENDINGS, from_arrays, save_perturbation

    check_file(out, *ENDINGS)
    check_other(out, file)
    arrays = read_arrays(file)
    chosen: dict[str, Any] = {"transposed": transposed, "bgr": bgr, "scale": scale and scale.value, "p": p}
    reading = replace(
        detect(arrays, array, scale.value if scale else ""), **{key: value for key, value in chosen.items() if value}
    )
    pattern = from_arrays(arrays, reading, file)
    _, height, width = pattern.pattern.shape
    print(f"{file.name}, array {reading.array!r}" + (f" of {', '.join(arrays)}" if len(arrays) > 1 else ""))
    print(f"  read as   {reading}")
    print(f"  pattern   {width} x {height} pixels, {pattern.ball}")
    if out is not None:
        save_perturbation(replace(pattern, name=name or pattern.name), out)
        print(f"  written   {out}")
