"""Rows of results: plain dataclasses to CSV and JSON, with the provenance they were computed under."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from uap_core.io.atomic import write_whole
from uap_core.metrics import Rate


def to_csv(rows: Sequence[Any]) -> str:
    """A header line and a line a row; a Rate becomes count, total, value and the ends of its interval."""
    stream = io.StringIO()
    flat = [flatten(row) for row in rows]
    if flat:
        columns = dict.fromkeys(name for row in flat for name in row)  # a Rate that is None in one row has columns in another
        writer = csv.DictWriter(stream, fieldnames=list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat)
    return stream.getvalue()


def flatten(row: Any) -> dict[str, Any]:
    """A dataclass as one flat dictionary of numbers and words."""
    result: dict[str, Any] = {}
    for name, value in vars(row).items():
        if isinstance(value, Rate):
            low, high = value.interval
            result |= {f"{name}_count": value.count, f"{name}_total": value.total, name: round(value.value, 6)}
            result |= {f"{name}_low": round(low, 6), f"{name}_high": round(high, 6)}
        else:
            result[name] = value
    return result


@dataclass(frozen=True)
class Table:
    """Rows with a title and the provenance under which they were computed."""

    title: str
    rows: list[Any]
    provenance: dict[str, Any]


def write_table(table: Table, path: Path) -> None:
    """Write as JSON, atomically; Rates as {"count", "total"}."""
    lines = ",\n  ".join(json.dumps(asdict(row)) for row in table.rows)
    head = json.dumps({"title": table.title, "provenance": table.provenance}, indent=1)
    write_whole(path, f'{head[:-2]},\n "rows": [\n  {lines}\n ]\n}}\n'.encode())


def read_table(path: Path, row_type: type) -> Table:
    """Read what ``write_table`` wrote, rows as ``row_type``."""
    data = json.loads(path.read_text(encoding="utf-8"))
    rows = [row_type(**{name: _value(value) for name, value in row.items()}) for row in data["rows"]]
    return Table(data["title"], rows, data["provenance"])


def _value(value: Any) -> Any:
    return Rate(**value) if isinstance(value, dict) and set(value) == {"count", "total"} else value


def mean_rate(rates: Iterable[Rate]) -> float:
    """Mean share of several rates over the same set."""
    values = [rate.value for rate in rates]
    return sum(values) / len(values)


def outer_ends(rates: Iterable[Rate]) -> tuple[float, float]:
    """The lowest and the highest end of their 95 % Wilson intervals: seeds may lie further apart than chance on one set."""
    low, high = zip(*(rate.interval for rate in rates), strict=True)
    return min(low), max(high)
