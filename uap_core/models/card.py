"""A network's card: what it is, where its weights lie, what it was measured to do. One small JSON file each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from uap_core.errors import ModelError

KINDS = ("embedded", "exported", "torchvision")


@dataclass(frozen=True)
class Card:
    """What is known of a network without loading it.

    ``kind`` says how to build it: "embedded" (an architecture of this project, safetensors), "exported" (a torch.export
    program that takes [0,1] pixels) or "torchvision" (an architecture of torchvision with a state dict). ``weights`` is a
    path relative to the card's folder. ``classes`` is a list of {"name", "wnid"}, or "imagenet" for torchvision's 1000.
    An embedded network with a ``view_size`` enlarges its input to so many pixels itself. Accuracies are shares, 0 to 1.
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
    wnids: str = ""
    note: str = ""
    measured: dict[str, Any] = field(default_factory=dict)
    published: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    download_megabytes: float = 0.0
    view_size: int = 0
    folder: Path = field(default=Path("."), compare=False)

    @property
    def weights_path(self) -> Path:
        """Where the weights should lie."""
        return (self.folder / self.weights).resolve()

    @property
    def available(self) -> bool:
        """Whether the weights are on this machine."""
        return self.weights_path.is_file()


def read_card(path: Path) -> Card:
    """Read one card. Raises ModelError when it is not one."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        known = {f.name for f in fields(Card)} - {"folder"}
        unknown = set(data) - known
        if unknown:
            raise ModelError(f"The card {path.name!r} has entries that are not known: {', '.join(sorted(unknown))}.")
        card = Card(**data, folder=path.parent)
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"The card {path.name!r} cannot be read: {error}.") from error
    if card.kind not in KINDS:
        raise ModelError(f"The card {path.name!r} names the kind {card.kind!r}; it must be one of {', '.join(KINDS)}.")
    return card
