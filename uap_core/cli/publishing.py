"""library, publish: what ships ready-made, what others published, and how everything that ships is computed."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from uap_core.cli.inputs import open_zoo
from uap_core.cli.options import Folder
from uap_core.cli.outputs import tell_download
from uap_core.errors import SettingError
from uap_core.io.paths import PERTURBATIONS, RESULTS, dreams_path
from uap_core.models.zoo import PAGE_MODEL, QUICK_MODEL


def library(
    fetch: Annotated[str, typer.Option(help="Download this pattern of the catalogue first.")] = "",
) -> None:
    """List the ready-made perturbations: what they were crafted on, how, and what they do to images never seen.

    Below them the catalogue: patterns that others published and that can be fetched.
    """
    from uap_core.perturbations import remote as catalogue
    from uap_core.perturbations.library import library as ready_made

    if fetch:
        tell_download(fetch, catalogue.fetch(catalogue.published(fetch)))
    for entry in ready_made():
        print(f"{entry.key:48} {entry.side:4}px  {entry.name:60} {entry.verdict}")
    for offer in catalogue.CATALOGUE:
        if not offer.path.is_file():
            print(f"{offer.key:48}  224px  {offer.name:60} to be fetched: {offer.licence}, {offer.source}")


class Part(str, Enum):
    """What `publish` computes."""

    library = "library"
    sweep = "sweep"
    outcomes = "outcomes"
    matrix = "matrix"
    transfer = "transfer"
    curves = "curves"
    convergence = "convergence"
    ablations = "ablations"
    data_free = "data-free"
    few_pictures = "few-pictures"
    alone = "alone"
    several = "several"
    defences = "defences"
    why = "why"
    feels = "feels"
    evaluations = "evaluations"
    limits = "limits"
    lipschitz = "lipschitz"
    small = "small"
    generators = "generators"
    games = "games"
    opening = "opening"


def publish(
    data: Annotated[Path, typer.Option(help="Folder or zip of real 64x64 pictures, for the embedded network.")],
    imagenet: Annotated[
        Path | None, typer.Option(help="Folder or zip of ImageNet pictures, for the ImageNet networks.")
    ] = None,
    part: Annotated[list[Part] | None, typer.Option(help="Only this; name several. Everything when left out.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only for this network; name several.")] = None,
    photo: Annotated[str, typer.Option(help="Sample photograph that the page opens with.")] = "running",
    plan: Annotated[bool, typer.Option("--plan", help="Only say what is missing, and about how long it takes.")] = False,
    folder: Folder = None,
) -> None:
    """Compute what ships: the perturbations, and what the page shows as precomputed.

    Finished files are kept and stopped jobs continue; several runs may work on different networks at the same time.
    """
    from uap_core.experiments.first_view import write_opening
    from uap_core.experiments.networks import OTHERS, SEVEN
    from uap_core.images.photographs import SAMPLE_PHOTOS
    from uap_core.precompute.curves import state_on_dream_card
    from uap_core.precompute.materials import Materials, minutes
    from uap_core.precompute.plan import PARTS, jobs

    keys = model or [QUICK_MODEL, *OTHERS, *(SEVEN if imagenet else ())]
    sources = {64: data} | ({224: imagenet} if imagenet else {})
    materials = Materials(open_zoo(folder), sources)
    if photo not in {sample.key for sample in SAMPLE_PHOTOS}:
        raise SettingError(f"There is no sample photograph {photo!r}.")
    every = jobs(materials, [p.value for p in part] if part else PARTS, keys)
    waiting = [job for job in every if not job.is_done()]
    print(f"{len(waiting)} files to make, about {minutes(waiting, materials):.0f} minutes of crafting here", flush=True)
    if plan:
        print("\n".join(f"{job.part} {job.name}" for job in waiting))
        return
    for job in every:
        if job.is_done():  # asked again: an earlier job may have changed what this one starts from
            continue
        for line in job.run():
            print(f"{job.part} {job.name}  {line}", flush=True)
    first_pattern = PERTURBATIONS / f"{PAGE_MODEL}-linf10.safetensors"
    if first_pattern.is_file():
        write_opening(PAGE_MODEL, first_pattern, photo)
    if QUICK_MODEL in keys:
        state_on_dream_card(QUICK_MODEL, RESULTS, dreams_path(QUICK_MODEL).with_suffix(".json"))
