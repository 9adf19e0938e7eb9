from __future__ import annotations

from pathlib import Path

import pytest

from uap_core import __main__ as cli
from uap_core.cli.publishing import Part
from uap_core.errors import PerturbationError
from uap_core.experiments.directions import DirectionRow
from uap_core.experiments.label_graph import Move
from uap_core.experiments.normals import NAMES, SingularRow, SubspaceRow
from uap_core.io.results import read_table
from uap_core.precompute.plan import PARTS


def test_why_prints_its_tables_and_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str], dreams: Path) -> None:
    words = ["why", "--normals", "3", "--images", "5", "--out", str(tmp_path / "new")]
    cli.app(words, standalone_mode=False)
    out = capsys.readouterr().out
    assert "normals of 3 craft images, measured on 5 others" in out
    for part in (*NAMES.values(), "universal pattern", "mean image", "labels that take most,  1", "connected parts"):
        assert part in out
    kinds = {"normals": SingularRow, "subspace": SubspaceRow, "directions": DirectionRow, "dominant": Move}
    tables = {name: read_table(tmp_path / "new" / f"resnet64-{name}.json", kind) for name, kind in kinds.items()}
    assert {name: len(table.rows) for name, table in tables.items() if name != "dominant"} == {
        "normals": 6,
        "subspace": 8,  # the full space, and 1, 2 and 3 dimensions, at two lengths
        "directions": 24,
    }
    assert sum(move.images for move in tables["dominant"].rows) == 5
    assert tables["directions"].provenance["held_out"] == f"5 images of {dreams.stem} (held-out)"


def test_why_needs_a_pattern_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(PerturbationError):
        cli.app(["why", "--perturbation", str(tmp_path / "none.npy")], standalone_mode=False)


def test_publish_knows_every_part() -> None:
    assert {part.value for part in Part} == set(PARTS)
