"""Options that several commands share, typed and described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[str, typer.Option(help="Key of the network, as `models` lists it.")]
Data = Annotated[
    Path | None,
    typer.Option(help="Folder or zip of pictures; dreams checked for the network, which are data-free, when left out."),
]
Folder = Annotated[Path | None, typer.Option(help="A further folder of network cards.")]
Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Same seed, same machine, same result.")]
Epsilon = Annotated[str, typer.Option(help="Radius of the ball, like 10/255.")]
Norm = Annotated[str, typer.Option(help="linf or l2.")]
Name = Annotated[str, typer.Option(help="What lists should call it.")]
PATTERN_HELP = "Name of a pattern that ships (see `library`), a file of this project, or anybody's as `convert` reads it."
Pattern = Annotated[Path, typer.Argument(help=PATTERN_HELP)]
TableFile = Annotated[Path | None, typer.Option(help="Also write the rows: .csv or .json.")]
FigureFile = Annotated[Path | None, typer.Option(help="Also draw them: .png, .svg or .pdf.")]
