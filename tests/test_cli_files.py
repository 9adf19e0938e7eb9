"""The files that a command writes: looked at before any work, whole or not at all, and never the one that is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from uap_core import __main__ as cli
from uap_core.cli.outputs import check_file, write_rows
from uap_core.errors import SettingError
from uap_core.experiments.sample_curve import SampleRow
from uap_core.metrics import Rate
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation, save_perturbation


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    return path


@contextmanager
def full_disk() -> Iterator[None]:
    """A limit on the size of files stands in for it."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "words",
    [
        ("craft", "--out", "{taken}.safetensors", "--images", "2", "--budget", "2"),
        ("sweep", "resnet64-linf10", "--out", "{taken}.csv"),
        ("sweep", "resnet64-linf10", "--figure", "{taken}.png"),
        ("apply", "{photo}", "--out", "{taken}.png"),
        ("craft", "--out", "{long}.npy", "--images", "2", "--budget", "2"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(
    words: tuple[str, ...], photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folders, and a name too long for the file that is beside it until it is whole."""
    for ending in ("safetensors", "csv", "png"):
        (tmp_path / f"taken.{ending}").mkdir()
    places = {"taken": tmp_path / "taken", "long": tmp_path / ("n" * 250), "photo": photo}
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SettingError, match=r"cannot be written \(.+\)\. Name another file\."):
        cli.app([word.format(**places) for word in words], standalone_mode=False)
    assert capsys.readouterr().out == ""
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="whoever may write everything is refused nothing")
def test_protected_files_and_folders_are_refused(tmp_path: Path) -> None:
    for name, mode in (("closed", 0o500), ("open", 0o700)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
    (tmp_path / "open" / "kept.csv").write_text("kept")
    (tmp_path / "open" / "kept.csv").chmod(0o400)
    for place in ("closed/rows.csv", "open/kept.csv"):
        with pytest.raises(SettingError, match=r"cannot be written \(Permission denied\)"):
            check_file(tmp_path / place, ".csv")


def test_a_picture_is_not_written_over_itself(photo: Path, tmp_path: Path) -> None:
    before, link = photo.read_bytes(), tmp_path / "link.png"
    link.symlink_to(photo)
    (tmp_path / "new").mkdir()
    for out in (photo, tmp_path / "new" / ".." / "photo.png", link):
        with pytest.raises(SettingError, match="is the file that is read"):
            cli.app(["apply", str(photo), "--out", str(out)], standalone_mode=False)
    assert photo.read_bytes() == before


def test_a_pattern_is_not_converted_over_itself(tmp_path: Path) -> None:
    path = tmp_path / "theirs.npy"
    np.save(path, np.random.default_rng(0).choice([-8, 8], (64, 64, 3)))
    before = path.read_bytes()
    with pytest.raises(SettingError, match=r"'theirs\.npy' is the file that is read"):
        cli.app(["convert", str(path), "--out", str(path)], standalone_mode=False)
    assert path.read_bytes() == before


def write(path: Path, photo: Path) -> None:
    """As a command does, by the ending of ``path``."""
    if path.suffix == ".csv":
        write_rows(path, "Rows", [SampleRow(1, 0, Rate(1, 2), Rate(1, 2), 16, 0.5)] * 100, {})
    elif path.suffix == ".png":
        cli.app(["apply", str(photo), "--out", str(path)], standalone_mode=False)
    else:
        save_perturbation(Perturbation("mine", torch.zeros(3, 64, 64), Ball("linf", 10 / 255)), path)


@pytest.mark.parametrize("name", ["rows.csv", "out.png", "v.npy", "v.safetensors"])
def test_on_a_full_disk_the_last_whole_file_stays(name: str, photo: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    write(path, photo)
    whole = path.read_bytes()
    assert len(whole) > 1000
    with full_disk(), pytest.raises(OSError, match=r"too large|written"):
        write(path, photo)
    assert path.read_bytes() == whole
    assert {path.name for path in tmp_path.iterdir()} == {name, "photo.png"}
