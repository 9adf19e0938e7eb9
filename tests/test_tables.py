from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from uap_core.io.results import Table, flatten, mean_rate, read_table, to_csv, write_table
from uap_core.metrics import Rate


@dataclass(frozen=True)
class Row:
    name: str
    epsilon: float
    rate: Rate | None


ROWS = [Row("plain", 0.0, Rate(0, 10)), Row('with "quotes", comma\nand line ünïcode', 10 / 255, Rate(7, 10))]


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], [], [Row("unmeasured", 1.0, None)]], ids=["two", "one", "none", "no rate"])
@pytest.mark.parametrize("provenance", [{}, {"network": "resnet64", "nested": {"seeds": [0, 1]}}], ids=["bare", "told"])
def test_round_trip(rows: list[Row], provenance: dict[str, object], tmp_path: Path) -> None:
    table = Table("A title", rows, provenance)
    path = tmp_path / "new folder" / "table.json"
    write_table(table, path)
    assert read_table(path, Row) == table
    data = json.loads(path.read_text(encoding="utf-8"))
    assert list(data) == ["title", "provenance", "rows"]


def test_json_keeps_counts_not_shares(tmp_path: Path) -> None:
    write_table(Table("t", ROWS, {}), tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))["rows"][1]["rate"] == {"count": 7, "total": 10}


def test_flatten_spells_a_rate_out() -> None:
    flat = flatten(ROWS[1])
    low, high = Rate(7, 10).interval
    assert (flat["rate_count"], flat["rate_total"]) == (7, 10)
    assert (flat["rate"], flat["rate_low"], flat["rate_high"]) == (
        0.7,
        pytest.approx(low, abs=1e-6),
        pytest.approx(high, abs=1e-6),
    )


def test_csv_reads_back() -> None:
    read = list(csv.DictReader(io.StringIO(to_csv(ROWS))))
    assert list(read[0]) == ["name", "epsilon", "rate_count", "rate_total", "rate", "rate_low", "rate_high"]
    assert [row["name"] for row in read] == [row.name for row in ROWS]
    assert [float(row["epsilon"]) for row in read] == [row.epsilon for row in ROWS]
    assert [row["rate_count"] for row in read] == ["0", "7"]
    assert to_csv([]) == ""


@pytest.mark.parametrize("order", [1, -1], ids=["unmeasured first", "unmeasured last"])
def test_csv_of_rows_with_and_without_a_rate(order: int) -> None:
    rows = [Row("unmeasured", 0.0, None), Row("measured", 0.0, Rate(1, 2))][::order]
    read = {row["name"]: row for row in csv.DictReader(io.StringIO(to_csv(rows)))}
    assert read["measured"]["rate"] == "0.5"
    assert read["unmeasured"]["rate"] == read["unmeasured"]["rate_count"] == ""


def test_mean_rate_weighs_rates_alike() -> None:
    assert mean_rate([Rate(1, 2), Rate(10, 10)]) == 0.75
