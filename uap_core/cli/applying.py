"""apply: one pattern added to one photograph, and what the network says before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uap_core.cli.inputs import open_zoo
from uap_core.cli.options import PATTERN_HELP, Folder, Model
from uap_core.cli.outputs import check_file, check_other
from uap_core.io.atomic import write_whole
from uap_core.models.zoo import QUICK_MODEL


def apply(
    photo: Annotated[Path, typer.Argument(help="A picture: PNG, JPEG, WebP and others.")],
    pattern: Annotated[Path, typer.Option(help=PATTERN_HELP)] = Path(f"{QUICK_MODEL}-linf10"),
    model: Model = QUICK_MODEL,
    out: Annotated[Path | None, typer.Option(help="Also write the perturbed picture, as the network saw it: .png.")] = None,
    folder: Folder = None,
) -> None:
    """Add a pattern to a photograph and say what the network sees before and after.

    Predictions are those of the 8-bit pictures, so the written file behaves as reported.
    """
    from uap_core.experiments.apply import exhibit
    from uap_core.images.reading import from_array, open_image, png_bytes, preprocess
    from uap_core.perturbations.perturbation import load_perturbation

    check_file(out, ".png")
    check_other(out, photo)
    network = open_zoo(folder).load(model)
    card, perturbation = network.card, load_perturbation(pattern)
    found = exhibit(network, preprocess(open_image(photo), card.resize_size, card.input_size, card.interpolation), perturbation)
    print(f"{perturbation.name} on {card.name}")
    for moment, seen in (("before", found.before), ("after", found.after)):
        print(f"  {moment:8}{seen[0][0]} ({seen[0][1]:.1%})")
    print(f"  fooled  {'yes' if found.fooled else 'no'}")
    if out is not None:
        write_whole(out, png_bytes(from_array(found.perturbed)))
        print(f"  written {out}")
