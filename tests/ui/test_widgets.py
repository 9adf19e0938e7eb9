from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from uap_core.errors import SettingError
from uap_core.ui import widgets
from uap_core.ui.html import numbers


def test_labels_are_escaped() -> None:
    html = numbers.bars("Before", [("<script>x</script>", 0.5)], "", "")
    assert "<script>" not in html
    assert "<b>" not in widgets.problem("<b>")


def test_linked_pictures_are_lossless() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    path = Path(unquote(widgets.picture_link(pixels).partition("file=")[2]))
    assert (np.asarray(Image.open(path)) == pixels).all()
    assert (np.asarray(Image.open(io.BytesIO(widgets.png_of(pixels)))) == pixels).all()


def test_enlarging_invents_nothing() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    large = widgets.enlarge(pixels)
    assert large.shape == (384, 384, 3)
    assert (large[::6, ::6] == pixels).all()
    assert (large[5::6, 5::6] == pixels).all()
    assert widgets.enlarge(np.zeros((500, 500, 3), dtype=np.uint8)).shape == (500, 500, 3)


def test_downloads_keep_their_name_and_old_ones_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(widgets, "DOWNLOADS", tmp_path)
    monkeypatch.setattr(widgets, "KEPT_DOWNLOADS", 3)
    for number in range(6):
        path = Path(widgets.offer("rows.csv", f"{number}".encode()))
        assert path.name == "rows.csv"
        assert path.read_text() == f"{number}"
    assert len(list(tmp_path.iterdir())) == 3
    assert widgets.offer("rows.csv", b"5") == str(path)


def test_what_the_page_was_built_with_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every visitor's page links to it, however much others made since."""
    monkeypatch.setattr(widgets, "DOWNLOADS", tmp_path)
    monkeypatch.setattr(widgets, "KEPT_DOWNLOADS", 3)
    monkeypatch.setattr(widgets, "_lasting", set())
    built = Path(widgets.offer("photograph.png", b"built"))
    widgets.keep_for_good()
    later = [Path(widgets.offer("rows.csv", f"{number}".encode())) for number in range(9)]
    assert built.is_file()
    assert not later[0].exists()


def test_a_picture_is_written_once_for_all_who_look_at_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Many visitors at once: everybody gets the same whole file, and nobody writes it again under another's eyes."""
    monkeypatch.setattr(widgets, "DOWNLOADS", tmp_path)
    monkeypatch.setattr(widgets, "KEPT_DOWNLOADS", 2)
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    first = Path(widgets.picture_file(pixels))
    written = first.stat().st_mtime_ns
    with ThreadPoolExecutor(16) as visitors:
        paths = list(visitors.map(lambda _: widgets.picture_file(pixels), range(64)))
        list(visitors.map(lambda n: widgets.offer("rows.csv", f"{n}".encode()), range(64)))
    assert set(paths) == {str(first)}
    assert len(list(tmp_path.iterdir())) == 2
    assert not first.exists() or first.stat().st_mtime_ns == written
    shown = np.asarray(Image.open(widgets.picture_file(pixels)))
    assert (shown[::6, ::6] == pixels).all()


def test_our_errors_become_one_sentence_and_the_rest_stays() -> None:
    @widgets.guarded(3, 1)
    def fails() -> tuple[int, str, int]:
        raise SettingError("Say it.")

    first, message, last = fails()
    assert "Say it." in message
    assert first["__type__"] == last["__type__"] == "update"
    assert "value" not in first


def test_unexpected_errors_are_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    @widgets.guarded(1, 0)
    def breaks() -> Iterator[str]:
        yield "one"
        raise RuntimeError("secret detail")

    with caplog.at_level(logging.ERROR):
        shown = list(breaks())
    assert shown[0] == "one"
    assert widgets.UNEXPECTED in shown[1]
    assert "secret" not in shown[1]
    assert "secret detail" in caplog.text
