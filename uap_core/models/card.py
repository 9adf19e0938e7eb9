"""A network's card: what it is, where its weights lie, what it was measured to do. One small JSON file each."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from uap_core.errors import ModelError

KINDS = ("embedded", "exported", "torchvision", "timm")
INTERPOLATIONS = ("bilinear", "bicubic")
IN_PACKAGE = "package:"
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
TABLE = Path(__file__).parent / "torchvision.json"


@dataclass(frozen=True)
class Card:
    """What is known of a network without loading it.

    ``kind`` says how to build it: "embedded" (an architecture of this project, safetensors), "exported" (a torch.export
    program that takes [0,1] pixels), "torchvision" or "timm" (an architecture of that library with a state dict).
    ``weights`` is a path relative to the card's folder, or "package:NAME/PATH" for a file inside the installed Python package
    NAME, which the distribution ``package`` brings. ``classes`` is a list of {"name", "wnid"}, or "imagenet" for the 1000 of
    ImageNet. ``sha256`` is that of the weights, or at least its first eight digits, as in torchvision's file names;
    ``same_network`` are those of other files that hold the same network, so that what was measured on them holds here.
    ``url`` is where the file can be fetched. ``options`` go to the library's builder. Pixels in [0,1] become
    (x - ``mean``) / ``std`` per channel (red, green, blue) inside the network; an exported program does so itself. An
    embedded network with a ``view_size`` enlarges its input to so many pixels itself. ``hub`` is the repository on the
    Hugging Face Hub whose file the weights are; no card file names one. Accuracies are shares, 0 to 1.
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
        """Where the weights should lie; a path that is not there when their package is not installed."""
        if self.weights.startswith(IN_PACKAGE):
            return path_in_package(self.weights.removeprefix(IN_PACKAGE))
        # Links are not followed: in the Hub's cache the file behind one has no ending.
        return Path(os.path.abspath(self.folder / self.weights))

    def is_weights(self, sha256: str) -> bool:
        """Whether a file of this SHA-256 holds this network: what was measured on it holds here."""
        known = sha256 in (self.sha256, *self.same_network)
        return known or (bool(self.sha256) and sha256.startswith(self.sha256))

    @property
    def megabytes(self) -> float:
        """Size of the weights: of the file if it is here, else of the download; 0 when nobody knows."""
        path = self.weights_path
        return path.stat().st_size / 1e6 if path.is_file() else self.download_megabytes

    @property
    def top1(self) -> float | None:
        """Share of right answers: as measured by this project, else as published."""
        return self.measured.get("top1") or self.published.get("top1")


def path_in_package(place: str) -> Path:
    """The path of NAME/PATH inside the installed package NAME, which is looked for and never imported."""
    name, _, inside = place.partition("/")
    spec = find_spec(name)
    folder = Path(spec.origin).parent if spec and spec.origin else Path(name)
    return folder / inside


def read_card(path: Path) -> Card:
    """Read one card, anew only when its file has changed: it is asked for at every click. Raises ModelError when it is none."""
    try:
        found = path.stat()
    except OSError as error:
        raise ModelError(f"The card {path.name!r} cannot be read: {error}.") from error
    return _read_card(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=256)
def _read_card(path: Path, changed: int, size: int) -> Card:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        known = {f.name for f in fields(Card)} - {"folder", "hub"}
        unknown = set(data) - known
        if unknown:
            raise ModelError(f"The card {path.name!r} has entries that are not known: {', '.join(sorted(unknown))}.")
        pairs = {name: tuple(data[name]) for name in ("mean", "std", "same_network") if name in data}
        card = Card(**data | pairs, folder=path.parent)
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"The card {path.name!r} cannot be read: {error}.") from error
    for what, named, choices in (("kind", card.kind, KINDS), ("interpolation", card.interpolation, INTERPOLATIONS)):
        if named not in choices:
            raise ModelError(f"The card {path.name!r} names the {what} {named!r}; it must be one of {', '.join(choices)}.")
    return card


@cache
def torchvision_cards(folder: Path) -> list[Card]:
    """Cards of torchvision's classifiers, whose weights belong in ``folder``: from a table that tests hold to its registry."""
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
