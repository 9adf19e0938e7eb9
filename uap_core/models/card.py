"""A network's card: a small JSON file that says what a network is, where its weights are, and what it was measured to do.

    {"key": "mine", "name": "My network", "kind": "exported", "weights": "mine.pt2", "input_size": 224, "resize_size": 256,
     "licence": "MIT", "source": "trained by me on ImageNet", "sha256": "92116e17..."}

Listing networks reads cards alone; weights are loaded from the file that the card names, and only if its SHA-256 is right.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from uap_core.errors import ModelError, SettingError
from uap_core.models.card_checks import check_card

IN_PACKAGE = "package:"
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
TABLE = Path(__file__).parent / "torchvision.json"


@dataclass(frozen=True)
class Card:
    """Hold what is known of a network without loading it.

    Args:
        key: what programs, files and the command line call it.
        name: its display name.
        kind: how it is built: "embedded" (an architecture of this project, weights as safetensors), "exported" (a torch.export
            program that takes pixels in [0,1]), "torchvision" or "timm" (an architecture of that library, and a state dict).
        weights: path relative to the card's folder, or "package:NAME/PATH" for a file inside the installed package NAME.
        input_size: pixels of a side of the square that it takes.
        resize_size: pixels of the short side, to which a picture is resized before the square is cut out.
        licence: of the weights.
        source: where the weights come from.
        architecture: its name in the library, or in this project.
        sha256: of the weights' file, or at least its first eight digits; left out, any file counts as the right one.
        classes: "imagenet" for the 1000 of ImageNet, else a list of {"name", "wnid"}.
        note: a sentence to display.
        measured: by this project: accuracies "top1" and "top5" as shares from 0 to 1, and the "set" they are on.
        published: by whom the weights come from: "top1", likewise.
        recipe: how this project trained it.
        download_megabytes: size of the file.
        url: where the file can be fetched.
        options: for the library's builder.
        interpolation: "bilinear" or "bicubic", for resizing.
        mean, std: for each of red, green, blue: the network itself computes (x - mean) / std of pixels x in [0,1]. An exported
            program has that inside.
        view_size: pixels of a side to which an embedded network enlarges its input; 0 leaves it.
        package: the distribution to install for weights in a package.
        same_network: SHA-256 of other files that hold the same network: what was measured on it holds here.
        hub: repository on the Hugging Face Hub that the weights are from; never in a file.
        folder: where the card is; never in a file.

    Example:
        >>> from uap_core.models.card import read_card
        >>> from uap_core.io.paths import MODELS
        >>> card = read_card(MODELS / "resnet64.json")
        >>> card.name, card.kind, card.input_size, card.weights_path.name
        ('ResNet-64 (built in)', 'embedded', 64, 'resnet64.safetensors')
    """

    key: str
    name: str
    kind: str
    weights: str
    input_size: int
    resize_size: int
    licence: str
    source: str
    architecture: str = ""
    sha256: str = ""
    classes: str | list[dict[str, str]] = "imagenet"
    note: str = ""
    measured: dict[str, Any] = field(default_factory=dict)
    published: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    download_megabytes: float = 0.0
    url: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    interpolation: str = "bilinear"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    view_size: int = 0
    package: str = ""
    same_network: tuple[str, ...] = ()
    hub: str = ""
    folder: Path = field(default=Path("."), compare=False)

    @property
    def weights_path(self) -> Path:
        """Where the weights should be, whether they are there or not."""
        if self.weights.startswith(IN_PACKAGE):
            return path_in_package(self.weights.removeprefix(IN_PACKAGE))
        # Links are not followed: in the Hub's cache the file behind one has no ending.
        return Path(os.path.abspath(self.folder / self.weights))

    def is_weights(self, sha256: str) -> bool:
        """Whether a file with this SHA-256 holds this network, so that what was measured on it holds here."""
        known = sha256 in (self.sha256, *self.same_network)
        return known or (bool(self.sha256) and sha256.startswith(self.sha256))

    @property
    def megabytes(self) -> float:
        """Size of the weights: of the file if it is here, else of the download; 0 if unknown."""
        path = self.weights_path
        return path.stat().st_size / 1e6 if os.path.isfile(path) else self.download_megabytes

    @property
    def top1(self) -> float | None:
        """Accuracy, 0 to 1: as measured by this project, else as published."""
        return self.measured.get("top1", self.published.get("top1"))


def path_in_package(place: str) -> Path:
    """The path of NAME/PATH inside the installed package NAME, found without importing it."""
    name, _, inside = place.partition("/")
    spec = None
    with suppress(ImportError, ValueError):  # of what is loaded in another way than packages are
        spec = find_spec(name)
    folder = Path(spec.origin).parent if spec and spec.origin else Path(name)
    return folder / inside


def read_card(path: Path) -> Card:
    """Read a card; cached until the file's size or time of change differs. Raises ModelError if it is not a valid card."""
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return _read_card(path, found.st_mtime_ns, found.st_size)


def _unreadable(path: Path, error: Exception) -> ModelError:
    """Visitors read it, so it names no folder of this machine."""
    reason = getattr(error, "strerror", None) or error
    return ModelError(f"The card {path.name!r} cannot be read: {reason}.")


@lru_cache(maxsize=256)
def _read_card(path: Path, changed: int, size: int) -> Card:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        unknown = set(data) - {entry.name for entry in fields(Card)} | set(data) & {"folder", "hub"}
        if unknown:
            raise ModelError(f"The card {path.name!r} has unknown entries: {', '.join(sorted(unknown))}.")
        tuples = {name: tuple(data[name]) for name in ("mean", "std", "same_network") if isinstance(data.get(name), list)}
        card = Card(**data | tuples, folder=path.parent)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(path, error) from error
    try:
        check_card(card)
    except SettingError as error:
        raise ModelError(f"The card {path.name!r} is wrong. {error}") from error
    if isinstance(card.classes, list):
        return replace(card, classes=[{"wnid": ""} | row for row in card.classes])
    return card


@cache
def torchvision_cards(folder: Path) -> list[Card]:
    """Cards of torchvision's ImageNet classifiers, with weights in ``folder``; tests compare the table with its registry."""
    rows = json.loads(TABLE.read_text(encoding="utf-8"))
    return [
        Card(
            kind="torchvision",
            architecture=row["key"],
            weights=row["url"].rpartition("/")[2],
            sha256=row["url"].rpartition("-")[2].removesuffix(".pth"),
            licence="BSD-3-Clause (torchvision)",
            source="torchvision, IMAGENET1K_V1",
            folder=folder,
            **row,
        )
        for row in rows
    ]
