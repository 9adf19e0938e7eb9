"""feel and limit: what they print and write, on a few dreams."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from uap_core import __main__ as cli
from uap_core.errors import SettingError
from uap_core.experiments.class_map_rows import MapRow
from uap_core.experiments.feature_channels import ChannelRow
from uap_core.experiments.feature_plane import PlaneRow
from uap_core.experiments.limit import LimitRow, NeverRow, TraitRow
from uap_core.io.results import read_table


@pytest.fixture(scope="module")
def few(dreams: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight dreams to craft on, and sixteen others."""
    path = tmp_path_factory.mktemp("few") / "few.zip"
    with zipfile.ZipFile(dreams) as archive, zipfile.ZipFile(path, "w") as made:
        for split, count in (("craft/", 8), ("held_out/", 16)):
            for name in [name for name in archive.namelist() if name.startswith(split)][:count]:
                made.writestr(name, archive.read(name))
    return path


def test_feel_prints_what_gathers_and_writes_three_tables(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.app(["feel", "--data", str(few), "--photo", "lion", "--out", str(tmp_path)], standalone_mode=False)
    out = capsys.readouterr().out
    kinds = {"plane": PlaneRow, "channels": ChannelRow, "maps": MapRow}
    tables = {name: read_table(tmp_path / f"resnet64-feels-{name}.json", kind) for name, kind in kinds.items()}
    assert {name: len(table.rows) for name, table in tables.items()} == {"plane": 16, "channels": 5, "maps": 2}
    assert "mean cosine of two images' features: 0." in out
    assert f"channel {tables['channels'].rows[0].channel:4}" in out
    assert "clean: lion" in out
    assert "pattern: abacus" in out
    assert tables["plane"].provenance["held_out"] == "16 images of few (held-out)"
    with pytest.raises(SettingError, match="no sample photograph 'unicorn'"):
        cli.app(["feel", "--photo", "unicorn"], standalone_mode=False)


def test_limit_compares_lengths_and_tells_who_never_falls(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["limit", "--data", str(few), "--budget", "32", "--budget", "8", "--out", str(tmp_path)]
    cli.app([*words, "--figure", str(tmp_path / "limit.svg")], standalone_mode=False)
    out = capsys.readouterr().out
    kinds = {"runs": LimitRow, "never": NeverRow, "traits": TraitRow}
    tables = {name: read_table(tmp_path / f"resnet64-limit-{name}.json", kind).rows for name, kind in kinds.items()}
    assert [row.image_gradients for row in tables["runs"]] == [8, 32]
    assert "32 image-gradients from 8 images" in out
    (never,) = tables["never"]
    assert never.never.total == 16
    assert len(never.patterns) == 2 + 5, "two runs, and the library's five of this strength"
    assert f"no pattern of 7 fools {never.never}" in out
    assert (tmp_path / "limit.svg").read_text(encoding="utf-8").startswith("<?xml")
