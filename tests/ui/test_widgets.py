from __future__ import annotations

import io
import logging
from collections.abc import Iterator
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
