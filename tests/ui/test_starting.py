"""Where the page listens, keeps its files and finds pictures: said in a sentence when that cannot be."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from uap_core.errors import SettingError
from uap_core.ui.serving import folders
from uap_core.ui.serving.folders import settle_folders
from uap_core.ui.serving.ports import settle_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        there.listen()
        yield there.getsockname()[1]


def test_ports_that_cannot_be_had_are_said(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    assert settle_port(None, None) == (None, None)
    for host in (None, "127.0.0.1", "0.0.0.0"):
        with pytest.raises(SettingError, match=rf"Port {taken} \(--port\) is taken"):
            settle_port(host, taken)
    monkeypatch.setenv("GRADIO_SERVER_PORT", str(taken))
    with pytest.raises(SettingError, match=rf"Port {taken} \(GRADIO_SERVER_PORT\) is taken"):
        settle_port(None, None)
    monkeypatch.setenv("GRADIO_SERVER_PORT", "soon")
    with pytest.raises(SettingError, match="GRADIO_SERVER_PORT must be a whole number"):
        settle_port(None, None)
    with pytest.raises(SettingError, match="--port must be"):
        settle_port(None, 70000)
    monkeypatch.delenv("GRADIO_SERVER_PORT")
    for host in ("192.0.2.1", "no.such.host.invalid"):
        with pytest.raises(SettingError, match="no address"):
            settle_port(host, None)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that cannot be: below a file. The environment is restored afterwards."""
    for name in ("GRADIO_TEMP_DIR", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "file").write_bytes(b"")
    return tmp_path / "file" / "below"


def test_a_folder_of_its_own(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = settle_folders()
    assert own.stat().st_mode & 0o077 == 0
    assert Path(os.environ["GRADIO_TEMP_DIR"]).parent == own
    assert os.environ["XDG_CACHE_HOME"] == os.environ["HOME"] == str(nowhere.parents[1])
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(nowhere))
    with pytest.raises(SettingError, match=r"GRADIO_TEMP_DIR names .* cannot be written to"):
        settle_folders()


def test_without_a_cache_or_a_home_it_goes_on_in_its_own_folder(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("XDG_CACHE_HOME", str(nowhere))
    monkeypatch.setattr(folders.Path, "home", homeless)
    own = settle_folders()
    assert os.environ["XDG_CACHE_HOME"] == str(own / "cache")
    assert os.environ["HOME"] == str(own)
    assert "is kept until this program ends" in caplog.text


def test_without_any_folder_for_temporary_files_it_says_so(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    cache = nowhere.parents[1] / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    assert settle_folders().is_relative_to(cache)
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(nowhere))
    with pytest.raises(SettingError, match="name one in TMPDIR"):
        settle_folders()


START = """import sys, types
page = types.ModuleType("uap_core.ui.page")
page.serve = lambda models, images, *asked: print("served", images.name)
sys.modules["uap_core.ui.page"] = page
from uap_core.__main__ import main
main()"""


def start(images: Path) -> tuple[int, str, str]:
    """`uap serve --images`, as far as the page: (exit status, what it printed, what it complained)."""
    command = [sys.executable, "-c", START, "serve", "--images", str(images)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_pictures_that_are_not_there_are_said_before_the_page_opens(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("no zip")
    (tmp_path / "empty").mkdir()
    for name, sentence in (
        ("nowhere", "There is no folder or zip of pictures at 'nowhere'."),
        ("text.txt", "There is no folder or zip of pictures at 'text.txt'."),
        ("empty", "No picture was found in 'empty'. Put pictures there, one folder a class."),
    ):
        assert start(tmp_path / name) == (1, "", f"error: {sentence}\n")


def test_pictures_in_a_folder_or_zip_are_served(tmp_path: Path) -> None:
    (tmp_path / "mine" / "cats").mkdir(parents=True)
    (tmp_path / "mine" / "cats" / "tom.png").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.write(tmp_path / "mine" / "cats" / "tom.png", "cats/tom.png")
    for name in ("mine", "mine.zip"):
        assert start(tmp_path / name) == (0, f"served {name}\n", "")
