"""What breaks around the page: a run is killed, the disk is full, a file that ships is gone or damaged."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import encoded, noise
from running import ROOT, running
from visitor import Visitor

from uap_core.__main__ import app
from uap_core.perturbations.perturbation import load_perturbation
from uap_core.ui import widgets
from uap_core.ui.runtime.shelf import Shelf

OVER = "The disk of the machine that runs this page is full"


def craft(out: Path, data: Path, *more: object) -> list[str]:
    """A run of some hundred steps that saves after every fourth."""
    words = ("--budget", 120, "--batch-size", 4, "--interval", 16, "--no-bf16", "--data", data, "--out", out, *more)
    return ["craft", *map(str, words)]


def test_a_crafting_run_that_was_killed_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    data = tmp_path / "pictures"
    data.mkdir()
    for number in range(16):
        (data / f"{number}.png").write_bytes(encoded(noise(number, 64, 64)))
    state, whole, resumed = tmp_path / "run.state", tmp_path / "whole.safetensors", tmp_path / "resumed.safetensors"
    words = craft(resumed, data, "--checkpoint", state)
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # equal to the last bit only where sums are formed alike
    command = [sys.executable, "-m", "uap_core", *words]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | threads, stdout=subprocess.DEVNULL) as run:
        started = time.monotonic()
        while not state.exists():
            assert run.poll() is None, "it ended before it was killed"
            assert time.monotonic() - started < 60
            time.sleep(0.005)
        time.sleep(0.1)
        run.send_signal(signal.SIGKILL)
    assert not resumed.exists()
    assert state.stat().st_size > 1000
    for goal in (words, craft(whole, data)):
        app(goal, standalone_mode=False)
    ours, theirs = load_perturbation(resumed), load_perturbation(whole)
    assert ours.pattern.equal(theirs.pattern)
    assert ours.ball == theirs.ball
    assert ours.provenance["held_out"] == theirs.provenance["held_out"]


def test_on_a_full_disk_a_download_gets_a_sentence_and_no_half_of_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit on the size of files stands in for the full disk."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    monkeypatch.setattr(widgets, "_shelf", Shelf(tmp_path / "downloads"))
    handler = widgets.guarded(2, 1)(lambda: (widgets.offer("rows.csv", b"x" * 5000), "fine"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        _, said = handler()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert OVER in said
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "half a file would be served the next time"
    path, said = handler()
    assert said == "fine"
    assert Path(path).read_bytes() == b"x" * 5000


def test_the_folder_of_downloads_may_be_tidied_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems empty their temporary folders after some days, whoever is still running."""
    monkeypatch.setattr(widgets, "_shelf", Shelf(tmp_path / "gone"))
    assert Path(widgets.offer("rows.csv", b"1")).read_bytes() == b"1"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in another place, where it may be broken."""
    root = tmp_path_factory.mktemp("project")
    for name in ("uap_core", "assets"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", root)
    return root


def test_the_page_opens_without_what_it_could_do_without(copy: Path) -> None:
    """First view, dreams, results and some patterns and weights are damaged or gone, all at once."""
    assets = copy / "assets"
    (assets / "results" / "opening.json").write_text("{")
    (assets / "dreams" / "resnet64.zip").write_bytes(b"PK\x03\x04 and no more")
    for number, path in enumerate(sorted((assets / "results").glob("*.json"))):
        text = path.read_text(encoding="utf-8")
        path.write_text(("", text[: len(text) // 2], "[]", '{"rows": [{"x": 1}], "title": "", "provenance": {}}')[number % 4])
    patterns = sorted((assets / "perturbations").glob("*.safetensors"))
    for number, path in enumerate(path for path in patterns if "resnet64-linf10.s" not in path.name):
        path.write_bytes((b"", b"nonsense", bytes(200), path.read_bytes()[:300])[number % 4])
    (assets / "models" / "resnet64.safetensors").write_bytes(b"nonsense")
    (assets / "models" / "vgg64.safetensors").unlink()
    with running(root=copy) as broken:
        visitor = Visitor(broken.address)
        network = next(part for part in visitor.config["components"] if part["props"].get("elem_id") == "network")
        keys = [key for _, key in network["props"]["choices"]]
        assert "separable64" in keys
        assert not {"resnet64", "vgg64"} & set(keys)
        answer = visitor.look("separable64", "resnet64-linf10.safetensors")
        assert answer.success
        assert "Pattern made for ResNet-64, tried on Separable-64." in answer.text
        assert answer.data[1] == ""
        for handler in visitor.config["dependencies"]:
            kind = handler["api_name"].rstrip("_0123456789")
            if not kind.startswith("look_") and kind not in ("stored", "fill", "curves", "listed", "lambda"):
                continue
            parts = {part["id"]: part["props"].get("value") for part in visitor.config["components"]}
            answer = visitor.call(handler["id"], [parts[number] for number in handler["inputs"]])
            assert answer.success, (handler["api_name"], answer.text)
            assert widgets.UNEXPECTED not in answer.text, (handler["api_name"], "".join(broken.lines[-30:]))
        answer = visitor.call("measure", [None, "separable64", "resnet64-linf10.safetensors", None, 10])
        assert 'role="alert"' in answer.data[0], "the dreams are damaged"
        assert widgets.UNEXPECTED not in answer.text
        visitor.call("pick", [], {"key": "resnet64"})
        details = visitor.call("describe", [None, None])
        assert "Another file is there" in details.text or "belong" in details.text


def test_a_pattern_that_went_is_missed_in_a_sentence(copy: Path) -> None:
    """It was in the list when the page was built."""
    from uap_core.errors import PerturbationError
    from uap_core.ui.state import Studio

    with pytest.raises(PerturbationError, match="no longer there"):
        Studio().perturbation("gone.safetensors", "resnet64", {})
    assert np.isfinite(load_perturbation(copy / "assets" / "perturbations" / "resnet64-linf10.safetensors").norms.l2)
