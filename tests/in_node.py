"""Runs scripts of static/ outside of a page, by the Node that comes with Playwright."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

STATIC = Path(__file__).resolve().parents[1] / "uap_core" / "ui" / "static"


def in_node(script: str, *files: str) -> Any:
    """What ``script`` gives to ``tell``, after ``files`` of the page's scripts."""
    driver = pytest.importorskip("playwright._impl._driver")
    node = driver.compute_driver_executable()[0]
    sources = "\n".join((STATIC / f"{name}.js").read_text(encoding="utf-8") for name in files)
    tell = "const tell = (value) => process.stdout.write(JSON.stringify(value));"
    run = subprocess.run([node, "-"], input=f"{sources}\n{tell}\n{script}", capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
