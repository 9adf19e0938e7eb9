"""The files that the page hands out: one for equal ones, so many bytes, for so long. No server runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from clocks import Clock
from PIL import Image

from uap_core.ui import widgets
from uap_core.ui.runtime import shelf as module
from uap_core.ui.runtime.shelf import Shelf
from uap_core.ui.serving.room import LEAST, OLD

MOST = 1_000_000  # bytes, of UAP_DISK_MB=1
FIT = MOST // LEAST  # small files


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the page's files are: a megabyte, and nothing that it was built with."""
    monkeypatch.setenv("UAP_DISK_MB", "1")
    monkeypatch.setattr(widgets, "_shelf", Shelf(tmp_path))
    return tmp_path


def bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_downloads_keep_their_name_and_the_oldest_go(folder: Path) -> None:
    paths = []
    for number in range(9):
        path = Path(widgets.offer("rows.csv", bytes([number]) * 300_000))
        assert path.name == "rows.csv"
        assert path.read_bytes() == bytes([number]) * 300_000
        paths.append(path)
        assert bytes_of(folder) <= MOST
    assert [path.exists() for path in paths] == [False] * 6 + [True] * 3
    assert len(list(folder.iterdir())) == 3, "no empty folder stays"
    assert widgets.offer("rows.csv", bytes([6]) * 300_000) == str(paths[6])
    widgets.offer("rows.csv", bytes([9]) * 300_000)
    assert [path.exists() for path in paths[6:]] == [True, False, True], "what was asked for again stays longer"


def test_equal_content_under_ever_new_names_does_not_fill_the_disk(folder: Path) -> None:
    """Strengths too small to change a pixel, or one pattern that is kept under many names."""
    for number in range(40):
        widgets.offer(f"picture-eps{number}.png", b"x" * 300_000)
        assert bytes_of(folder) <= MOST
    first, second = (Path(widgets.offer(name, b"x")) for name in ("a.png", "b.png"))
    assert first.parent != second.parent


def test_tiny_files_do_not_use_up_the_disks_entries(folder: Path) -> None:
    for number in range(3 * FIT):
        widgets.offer("rows.csv", str(number).encode())
    assert len(list(folder.iterdir())) == FIT


def test_what_nobody_asked_for_in_two_hours_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    old, used = (Path(widgets.offer("rows.csv", data)) for data in (b"old", b"used"))
    clock.now += OLD - 1
    widgets.offer("rows.csv", b"used")
    assert old.exists()
    clock.now += 2
    widgets.offer("rows.csv", b"new")
    assert not old.exists()
    assert used.exists()


def test_what_the_page_was_built_with_stays() -> None:
    """Every visitor's page links to it, however much others made since."""
    built = Path(widgets.offer("photograph.png", b"built" * 300_000))
    widgets.keep_for_good()
    later = []
    for number in range(9):
        assert widgets.offer("photograph.png", b"built" * 300_000) == str(built)
        later.append(Path(widgets.offer("rows.csv", bytes([number]) * 300_000)))
    assert built.is_file()
    assert [path.exists() for path in later] == [False] * 6 + [True] * 3


def test_a_picture_is_written_once_for_all_who_look_at_it(folder: Path) -> None:
    """Many visitors at once: everybody gets the same whole file, and nobody writes it again under another's eyes."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    first = Path(widgets.picture_file(pixels))
    written = first.stat().st_mtime_ns
    with ThreadPoolExecutor(16) as visitors:
        paths = list(visitors.map(lambda _: widgets.picture_file(pixels), range(64)))
        list(visitors.map(lambda n: widgets.offer("rows.csv", f"{n}".encode() * 10_000), range(99)))
    assert set(paths) == {str(first)}
    assert bytes_of(folder) <= MOST
    assert not first.exists() or first.stat().st_mtime_ns == written
    shown = np.asarray(Image.open(widgets.picture_file(pixels)))
    assert (shown[::6, ::6] == pixels).all()
