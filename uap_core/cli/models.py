"""models, fetch: which networks there are, whether one is fit to be attacked, and how its weights come here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from uap_core.cli.inputs import open_zoo
from uap_core.cli.options import Folder
from uap_core.cli.outputs import tell, tell_download
from uap_core.errors import SettingError
from uap_core.models.card import Card


def models(
    check: Annotated[
        str, typer.Option(help="Look into this network: what it takes, what it gives, what is wrong with it.")
    ] = "",
    data: Annotated[Path | None, typer.Option(help="With --check: folder or zip of pictures, one folder a class.")] = None,
    folder: Folder = None,
) -> None:
    """List the networks: size of input and download, accuracy, licence, and whether their weights are on this machine."""
    from uap_core.models.weights import state

    if data is not None and not check:
        raise SettingError("--data is what a network is looked into with: name the network with --check.")
    zoo = open_zoo(folder)
    if check:
        _look_into(zoo.card(check), data)
        return
    cards = zoo.cards()
    keys, names = max(20, *map(len, cards)), max(42, *(len(card.name) for card in cards.values()))  # timm's are long
    print(f"{'key':{keys}} {'name':{names}} {'input':>6} {'weights':>8} {'top-1':>7}  {'licence':26} state")
    for key, card in cards.items():
        size, accuracy = (
            f"{card.input_size:3} px {card.megabytes:5.0f} MB",
            f"{card.top1:7.1%}" if card.top1 is not None else "",
        )
        print(f"{key:{keys}} {card.name:{names}} {size} {accuracy:7}  {card.licence:26} {state(card)}")
    for fault in zoo.faults():
        print(fault, file=sys.stderr)


def _look_into(card: Card, data: Path | None) -> None:
    """Print the findings; exit with status 1 if anything is wrong."""
    from uap_core.experiments.model_check import checkup

    findings = tell(checkup(card, data), str)
    if not all(finding.good for finding in findings):
        sys.exit(1)


def fetch(
    model: Annotated[str, typer.Argument(help="Key of a network, as `models` lists it, or timm:NAME.")], folder: Folder = None
) -> None:
    """Download the weights of a network. Nothing counts as there before all of it is, and is right."""
    from uap_core.models.weights import HERE, state
    from uap_core.models.weights import fetch as fetch_weights

    zoo = open_zoo(folder)
    card = zoo.card(model)
    if state(card) == HERE:
        print(f"{card.name} is here already: {card.weights_path}")
        return
    zoo.check_room(card, card.megabytes)
    tell_download(card.name, fetch_weights(card))
    print(f"{card.name} is here: {zoo.card(model).weights_path}")
