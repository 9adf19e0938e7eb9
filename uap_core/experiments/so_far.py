"""Unfinished tables, and whether their rows were computed with the present settings.

Weights are compared through the networks' cards, everything else literally; when and with what it was computed does not
matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uap_core.io.results import Table, read_table, write_table
from uap_core.models.card import Card
from uap_core.perturbations.perturbation import versions

Identities = Mapping[str, Mapping[str, Any]]


def same_weights(stated: Mapping[str, Any], cards: Mapping[str, Card]) -> bool:
    """Whether a provenance names, for each of its networks, weights that hold the network of today's card."""
    keys, hashes = (str(stated.get(name, "")).split(", ") for name in ("network", "weights_sha256"))
    return len(keys) == len(hashes) and all(
        key in cards and cards[key].is_weights(sha256) for key, sha256 in zip(keys, hashes, strict=True)
    )


def agrees(stated: Mapping[str, Any], provenance: Mapping[str, Any], cards: Mapping[str, Card]) -> bool:
    """Whether what a table states is this ``provenance``."""
    left_out = {*versions(), "weights_sha256"}
    one, other = ({name: value for name, value in some.items() if name not in left_out} for some in (stated, provenance))
    return one == other and same_weights(stated, cards)


def readable(path: Path, row_type: type) -> Table | None:
    """The table at ``path``; None if it is missing, damaged, or its row type has changed."""
    try:
        return read_table(path, row_type) if path.is_file() else None
    except (ValueError, TypeError, KeyError):
        return None


def is_whole(path: Path, row_type: type, provenance: Mapping[str, Any], cards: Mapping[str, Card]) -> bool:
    """Whether there is a table at ``path`` that was computed under this provenance, whenever that was."""
    table = readable(path, row_type)
    return table is not None and agrees(table.provenance, provenance, cards)


def table_so_far(path: Path, row_type: type, title: str, provenance: dict[str, Any], cards: Mapping[str, Card]) -> Table:
    """The table at ``path`` if it was begun under the same provenance, else an empty one."""
    if is_whole(path, row_type, provenance, cards):
        return read_table(path, row_type)
    return Table(title, [], provenance | versions())


@dataclass(frozen=True)
class Parts:
    """A table whose parts were computed one by one, each under an identity of its own: a change of one leaves the others.

    ``identities`` are the present ones, by the parts' ids, as in the provenance under ``listed``; ``part_of`` gives a row's
    part.
    """

    path: Path
    row_type: type
    listed: str
    identities: Identities
    part_of: Callable[[Any], str]

    def table(self, title: str, provenance: dict[str, Any], cards: Mapping[str, Card]) -> Table:
        """The parts that are there and hold, in a table that states them alone; ``provenance`` is what all of them share."""
        found = readable(self.path, self.row_type)
        stated = dict(found.provenance) if found else {}
        parts: Identities = stated.pop(self.listed, {})
        if found is None or not agrees(stated, provenance, cards):
            return Table(title, [], provenance | {self.listed: {}} | versions())
        same = {part: said for part, said in parts.items() if self._holds(part, said)}
        rows = [row for row in found.rows if self.part_of(row) in same]
        return Table(found.title, rows, found.provenance | {self.listed: same})

    def add(self, table: Table, *rows: Any) -> None:
        """Take new rows of a part up, state it and by what it was computed, and write the table in the order of the parts."""
        part, order = self.part_of(rows[0]), list(self.identities)
        if part not in table.provenance[self.listed]:
            table.provenance[self.listed][part] = {**self.identities[part], **versions()}
        table.rows.extend(rows)
        table.rows.sort(key=lambda row: order.index(self.part_of(row)))
        write_table(table, self.path)

    def _holds(self, part: str, said: Any) -> bool:
        now = self.identities.get(part)
        return now is not None and isinstance(said, dict) and {name: said.get(name) for name in now} == dict(now)


def title_of(cards: Sequence[Card], count: int) -> str:
    """What a file of these networks on ``count`` held-out images is called."""
    return f"{' + '.join(card.name for card in cards)}: {count} held-out photographs"
