"""timm's ImageNet classifiers by name: what each takes and weighs, from a table that a test holds to timm's registry.

The table knows timm's other trained networks too, so that the error for an unusable name says why. Accuracies are those of
results/results-imagenet.csv in huggingface/pytorch-image-models (February 2025), at the input size of the card; newer networks
have none. Neither timm nor torch is imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from uap_core.errors import ModelError
from uap_core.models import hub
from uap_core.models.card import Card

TABLE = Path(__file__).parent / "timm.json"
PREFIX = "timm:"
CLASSES = 1000
LONGEST_NAME = 80
NEAREST = 3


@dataclass(frozen=True)
class Table:
    """``rows`` by name, with the table's columns; ``others``: number of outputs of the networks that are not offered."""

    rows: dict[str, dict[str, Any]]
    others: dict[str, int]
    statistics: list[list[list[float]]]


@cache
def table() -> Table:
    """The table, read once."""
    found = json.loads(TABLE.read_text(encoding="utf-8"))
    rows = (dict(zip(found["columns"], row, strict=True)) for row in found["rows"])
    return Table({row["name"]: row for row in rows}, found["others"], found["statistics"])


def timm_card(name: str) -> Card:
    """The card of timm's trained network ``name``, such as "resnet18.a1_in1k". Raises ModelError with why there is none."""
    rows = table().rows
    if name not in rows:
        raise ModelError(_refusal(name))
    row = rows[name]
    repository = f"{row['owner']}/{name}"
    mean, std = table().statistics[row["statistics"]]
    path = hub.cached(repository)
    squashed = "timm squashes pictures to a square, here the centre is cut: accuracy may differ a little."
    return Card(
        key=PREFIX + name,
        name=name,
        kind="timm",
        architecture=name,
        weights=str(path or hub.folder(repository) / hub.FILE),
        sha256=hub.promised_hash(path) if path else "",
        input_size=row["input"],
        resize_size=row["resize"],
        interpolation=row["interpolation"],
        mean=tuple(mean),
        std=tuple(std),
        licence=row["licence"] or "not stated",
        source=f"timm, huggingface.co/{repository}",
        published={"top1": row["top1"] / 100} if row["top1"] else {},
        note=squashed if row["squash"] else "",
        download_megabytes=row["megabytes"],
        url=hub.address(repository),
        hub=repository,
    )


def fetched_cards() -> Iterator[Card]:
    """The cards of those networks whose weights are in the Hub's cache."""
    for repository in hub.repositories():
        owner, _, name = repository.partition("/")
        row = table().rows.get(name)
        if row and row["owner"] == owner and hub.cached(repository):
            yield timm_card(name)


def search(typed: str) -> list[str]:
    """Names that contain every word of ``typed``; those that begin with it first, small networks before large ones."""
    words = typed.lower().split()
    found = [row for name, row in table().rows.items() if all(word in name for word in words)]
    found.sort(key=lambda row: (not row["name"].startswith(words[0] if words else ""), row["megabytes"]))
    return [row["name"] for row in found]


def _refusal(name: str) -> str:
    """Why there is no card called ``name``, and which names are near."""
    outputs = table().others.get(name)
    if outputs is None:
        said = f"timm has no trained ImageNet network called {name[:LONGEST_NAME]!r}."
    elif outputs == 0:
        said = f"{name} has no classifier: it turns pictures into features, which no label can be fooled by."
    elif outputs == CLASSES:
        said = f"{name} has no safetensors file on the Hugging Face Hub, and files that could run code are never loaded."
    else:
        said = f"{name} gives {outputs} scores a picture, not those of ImageNet's 1000 classes, which patterns here are about."
    near = _nearest(name)
    nearest = f"Nearest: {', '.join(PREFIX + other for other in near)}." if near else ""
    return f"{said} {nearest}".strip()


def _nearest(name: str) -> list[str]:
    """Offered networks of the architecture that is named, else those with names alike."""
    name, rows = name[:LONGEST_NAME], table().rows
    same = [other for other in rows if other.partition(".")[0] == name.partition(".")[0]]
    return (same if 0 < len(same) <= NEAREST else get_close_matches(name, same or rows, NEAREST, 0.5)) or same[:NEAREST]
