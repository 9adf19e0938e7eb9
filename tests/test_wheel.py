"""The wheel, installed where no checkout is: the package, its data and its commands work from an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import site
import socket
import subprocess
import sys
import time
import zipfile
from email.parser import Parser
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

import uap_core
from uap_core.images.photographs import sample_photos

ROOT = Path(__file__).resolve().parent.parent
BIN = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by the backend of tests/requirements.txt."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-q", "-w", str(folder)], check=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def place(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel, which borrows the large packages of this one, but not the checkout."""
    folder = tmp_path_factory.mktemp("place")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(folder / BIN / "python")]
    subprocess.run([*pip, "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    (packages,) = folder.glob("**/site-packages")
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return tmp_path


def uap(place: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(place / BIN / "uap"), *map(str, words)], capture_output=True, text=True, timeout=300)


def test_everything_of_the_package_and_the_assets_is_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    package = {path for path in (ROOT / "uap_core").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    kept = {path.relative_to(ROOT).as_posix() for path in package if path.suffix not in (".pyc", ".part")}
    assets = {path.relative_to(ROOT / "assets").as_posix() for path in (ROOT / "assets").rglob("*") if path.is_file()}
    kept |= {f"uap_core/_assets/{name}" for name in assets if "/" in name and not name.endswith(".part")}
    assert {"uap_core/py.typed", "uap_core/__init__.pyi", "uap_core/ui/static/refresh.js"} <= kept
    assert kept - inside == set()
    assert {name for name in inside if ".dist-info/" not in name} - kept == set()


def test_requirements_and_version_are_stated_once(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        said = Parser().parsestr(archive.read(name).decode("utf-8"))
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line.partition("#")[0].strip() for line in lines if line.partition("#")[0].strip()]

    def parts(requirement: str) -> set[str]:
        return {part.replace(" ", "") for part in re.split(r"(?<=\w)(?=[<>=!])|,", requirement, maxsplit=0)}

    assert sorted(map(sorted, map(parts, said.get_all("Requires-Dist") or []))) == sorted(map(sorted, map(parts, wanted)))
    assert said["Version"] == uap_core.__version__


def test_a_program_applies_a_pattern(place: Path, empty: Path) -> None:
    program = """
import uap_core
network = uap_core.load_model("resnet64")
v = uap_core.load_perturbation("resnet64-linf10")
images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=16)
x = images.images(slice(None))
changed = network(uap_core.apply(x, v)).argmax(dim=1) != network(x).argmax(dim=1)
print(uap_core.__file__, int(changed.sum()), len(uap_core.Zoo().cards()))
"""
    done = subprocess.run([str(place / BIN / "python"), "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    home, fooled, networks = done.stdout.split()
    assert Path(home).is_relative_to(place)
    assert int(fooled) >= 8
    assert int(networks) > 20


def test_a_command_applies_a_pattern(place: Path, empty: Path) -> None:
    shutil.copy(sample_photos()[0].path, empty / "photo.jpg")
    done = uap(place, "apply", "photo.jpg", "--out", "fooled.png")
    assert done.returncode == 0, done.stderr
    before, after = (line.split(maxsplit=1)[1] for line in done.stdout.splitlines()[1:3])
    assert before.split(" (")[0] != after.split(" (")[0]
    assert "fooled  yes" in done.stdout
    assert (empty / "fooled.png").read_bytes().startswith(b"\x89PNG")


def test_every_command_is_there(place: Path, empty: Path) -> None:
    said = uap(place, "--help").stdout
    for word in ("serve", "apply", "craft", "evaluate", "sweep", "train", "publish"):
        assert word in said
    listed = uap(place, "library")
    assert listed.returncode == 0, listed.stderr
    assert "resnet64" in listed.stdout


def test_the_page_opens(place: Path, empty: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(place / BIN / "uap"), "serve", "--port", str(port)]
    page = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said, until = "", time.monotonic() + 120
        while not said and page.poll() is None and time.monotonic() < until:
            try:
                said = urlopen(f"http://127.0.0.1:{port}/", timeout=5).read().decode("utf-8")
            except (URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        assert "Universal adversarial perturbations" in said, page.communicate(timeout=5)[0]
        assert "uapTexts" in said  # what the package's scripts are told
    finally:
        page.terminate()
        page.wait(30)
