"""Every example runs, from another folder than its own, and says what it promises."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import uap_core
from uap_core.models.zoo import Zoo

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
RUN_HERE = {"apply.py", "craft.py", "own_network.py", "table2.py", "tour.ipynb"}


def told(folder: Path, *words: object) -> str:
    """What an example prints, run in ``folder``."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def percent(text: str, start: str) -> float:
    found = re.search(rf"^{re.escape(start)}.*?([\d.]+)%", text, re.MULTILINE)
    assert found, text
    return float(found[1])


def test_none_is_left_out() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")} == RUN_HERE


def test_apply(tmp_path: Path) -> None:
    said = told(tmp_path, EXAMPLES / "apply.py")
    before, after = re.findall(r"^(?:before|after) +(.*) \(", said, re.MULTILINE)
    assert before != after
    assert uap_core.open_image(tmp_path / "fooled.png").size == (64, 64)


def test_craft(tmp_path: Path) -> None:
    said = told(tmp_path, EXAMPLES / "craft.py", "--budget", 200, "--images", 32)
    assert percent(said, "fooling rate") > percent(said, "random signs") + 20
    assert uap_core.load_perturbation(tmp_path / "mine.safetensors").provenance["image_gradients"] == 200


def test_own_network(tmp_path: Path) -> None:
    said = told(tmp_path, EXAMPLES / "own_network.py")
    assert percent(said, "accuracy") > 95
    assert percent(said, "PGD") > 95
    assert percent(said, "one pattern") > 60


def test_table2(tmp_path: Path, shared: Path, real_zoo: Zoo) -> None:
    """On few images: its interval holds the paper's rate for the network's own pattern."""
    cards = real_zoo.folders[1]
    said = told(tmp_path, EXAMPLES / "table2.py", shared, "--cards", cards, "--limit", 12)
    rows = dict(re.findall(r"^(\S+) +[\d.]+%  ([\d.]+)%", said, re.MULTILINE))
    assert set(rows) == {"GoogLeNet", "VGG-16", "VGG-19", "ResNet-152", "CaffeNet", "VGG-F"}
    assert float(rows["GoogLeNet"]) == pytest.approx(78.9, abs=25)
    assert float(rows["GoogLeNet"]) >= max(map(float, rows.values()))


def test_tour(tmp_path: Path) -> None:
    cells = json.loads((EXAMPLES / "tour.ipynb").read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]).replace("limit=64", "limit=24") for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells), "stored without what it printed"
    (tmp_path / "tour.py").write_text("\n\n".join(code), encoding="utf-8")
    said = told(tmp_path, "tour.py")
    assert percent(said, "pattern ") > percent(said, "random signs")
    assert len(re.findall(r"fooled True", said)) >= 3
