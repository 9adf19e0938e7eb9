"""Whatever is uploaded: the right picture, or one sentence; never another error, much memory or a long wait."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pictures import Upload, encoded, gigantic, noise, uploads
from PIL import Image
from running import ROOT, Running
from visitor import Visitor

from uap_core.errors import ImageError
from uap_core.images.reading import FORMATS, open_image, square
from uap_core.ui.state import Studio
from uap_core.ui.uploads import uploaded

SENTENCE = re.compile(r"[A-Z][^\n]{10,200}\.")
MEGABYTES = 900  # at most, for any one file; the interpreter and NumPy are 40 of them
SECONDS = 30
OVER_HTTP = 40


def test_every_file_gives_the_right_picture_or_a_sentence(tmp_path: Path) -> None:
    found: Counter[str] = Counter()
    for number, upload in enumerate(uploads()):
        path = tmp_path / str(number)
        path.write_bytes(upload.data)
        opened, said = _opened(path)
        if opened is None:
            assert SENTENCE.fullmatch(said), upload.name
            assert upload.pixels is None, f"{upload.name!r} was refused: {said}"
            found["refused"] += 1
            continue
        assert not upload.refused, upload.name
        assert opened.mode == "RGB"
        assert square(opened, 64, 64).size == (64, 64)
        if upload.pixels is not None:
            assert np.array_equal(np.asarray(opened), upload.pixels), upload.name
            found["known"] += 1
        found["opened"] += 1
    assert sum(found.values()) - found["known"] >= 500
    assert min(found["refused"], found["known"], found["opened"]) > 100


def _opened(path: Path) -> tuple[Image.Image | None, str]:
    """The picture, or the sentence of our own error."""
    try:
        return open_image(path), ""
    except ImageError as error:
        return None, str(error)


def test_no_reader_but_those_of_the_list_looks_at_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even to find out what it is: some readers run programs, others are hardly ever tested."""
    Image.init()
    asked = set()
    for name in Image.ID:
        factory, accept = Image.OPEN[name]

        def ask(prefix: bytes, name: str = name, accept=accept) -> bool | str:
            asked.add(name)
            return accept(prefix) if accept else True

        monkeypatch.setitem(Image.OPEN, name, (factory, ask))
    for data in (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n", b"\xd7\xcd\xc6\x9a" + bytes(90), bytes(600)):
        with pytest.raises(ImageError, match="not a picture"):
            open_image(data)
    assert asked == FORMATS & set(Image.ID)


def test_gigantic_files_take_little_memory_and_time(tmp_path: Path) -> None:
    """Each in a process of its own, which says how much memory it had at most."""
    pytest.importorskip("resource", reason="Windows tells no peak of memory")
    names = {}
    for number, upload in enumerate(gigantic()):
        (tmp_path / str(number)).write_bytes(upload.data)
        names[number] = upload
    run = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("opening.py")), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(rows) == len(names) >= 25
    for row in rows:
        upload = names[row["number"]]
        assert row["megabytes"] < MEGABYTES, (upload.name, row)
        assert row["seconds"] < SECONDS, (upload.name, row)
        assert row["said"] == "a picture" or SENTENCE.fullmatch(row["said"]), (upload.name, row)
        assert not (upload.refused and row["said"] == "a picture"), upload.name
    assert sum(row["said"] == "a picture" for row in rows) >= 6


@pytest.fixture
def upload_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Gradio keeps what visitors upload."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    return tmp_path / "uploads"


def test_only_what_was_uploaded_is_read(upload_folder: Path, tmp_path: Path) -> None:
    studio = Studio()
    card = studio.card("resnet64")
    secret, mine = tmp_path / "secret.png", upload_folder / "mine.png"
    secret.write_bytes(encoded(noise(1)))
    mine.write_bytes(encoded(noise(2)))
    (upload_folder / "link.png").symlink_to(secret)
    (tmp_path / "uploads-of-another").mkdir()
    (tmp_path / "uploads-of-another" / "x.png").write_bytes(encoded(noise(3)))
    expected = np.asarray(square(noise(2), card.resize_size, card.input_size, card.interpolation))
    assert np.array_equal(studio.pixels(f"upload:{mine}", card), expected)
    for path in (
        *(str(secret), "/etc/passwd", "", ".", "..", str(upload_folder), str(upload_folder / "link.png")),
        *(f"{upload_folder}/../secret.png", f"{tmp_path}/uploads-of-another/x.png", f"{mine}\x00", "x" * 5000, "~", "None"),
        *(f"file://{mine}", "http://127.0.0.1/x.png", "//host/share/x.png", "CON", "\u202e"),
    ):
        with pytest.raises(ImageError, match="not here") as caught:
            studio.pixels(f"upload:{path}", card)
        assert str(tmp_path) not in str(caught.value)
    assert uploaded(str(mine)) == mine.resolve()
    for photo in ("dream:²", "dream:-1", "dream:1e3", "sample:../../x", "sample:", "upload", "file:///etc/passwd", ":", "\x00"):
        with pytest.raises(ImageError):
            studio.pixels(photo, card)


def _sample() -> list[Upload]:
    everything = list(uploads())
    return everything[:: len(everything) // OVER_HTTP + 1] + [upload for upload in everything if "<" in upload.name]


def test_uploads_over_http(visitor: Visitor, app: Running) -> None:
    """The running page's own upload and handler: its sentence, or the picture, which then stands in the session."""
    kept = 0
    for upload in _sample():
        sent = visitor.http.post("/gradio_api/upload", files={"files": (upload.name, upload.data)})
        if sent.status_code != 200:  # Gradio refuses an empty name
            assert not upload.name.strip(". "), upload.name
            continue
        path = sent.json()[0]
        assert len(Path(path).name.encode()) <= 255
        assert not set(Path(path).name) & set("<>\"'\n\x00/\\"), path
        file = {"path": path, "orig_name": upload.name, "meta": {"_type": "gradio.FileData"}}
        started = time.monotonic()
        answer = visitor.call("accept", [file, "resnet64"])
        assert time.monotonic() - started < SECONDS
        assert answer.success, (upload.name, answer.text)
        said = " ".join(map(str, answer.data))
        assert "Your picture" in said or 'role="alert"' in said, (upload.name, said)
        assert not (upload.refused and "Your picture" in said), upload.name
        assert upload.pixels is None or "Your picture" in said, (upload.name, said)
        kept += "Your picture" in said
    assert kept >= 15
    answer = visitor.look("resnet64", "resnet64-linf10.safetensors")
    assert answer.success
    assert "picture-eps9" in answer.text
    assert app.process.poll() is None


def test_a_path_that_nobody_uploaded_is_not_opened(visitor: Visitor) -> None:
    for payload in (
        {"path": str(ROOT / "assets" / "screenshot-craft.png")},
        {"path": str(ROOT / "assets" / "screenshot-craft.png"), "meta": {}},
        {"path": str(ROOT / "assets" / "screenshot-craft.png"), "meta": {"_type": "gradio.FileData"}},
        {"path": "/etc/passwd"},
        {"path": "/etc/passwd", "url": "x", "orig_name": "x.png", "is_stream": True},
    ):
        answer = visitor.call("accept", [payload, "resnet64", None])
        assert "Your picture" not in answer.text
        assert "not a picture" not in answer.text, "it was opened, or the answer tells whether such a file exists"
