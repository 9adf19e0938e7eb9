"""uap craft --only: a pattern for some classes alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from uap_core import __main__ as cli
from uap_core import load_perturbation
from uap_core.errors import SettingError


def test_craft_for_a_group_alone(tmp_path: Path, dreams: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dogs.safetensors"
    words = ["craft", "--out", str(path), "--only", "dogs", "--only", "lion", "--budget", "16"]
    cli.app(words, standalone_mode=False)
    said = capsys.readouterr().out
    assert "of these classes" in said
    assert "of all others" in said
    stated = load_perturbation(path).provenance
    assert stated["method"] == "class_alone"
    assert len(stated["settings"]["classes"]) == 6
    with pytest.raises(SettingError, match="leave --method out"):
        cli.app([*words, "--method", "spgd"], standalone_mode=False)
