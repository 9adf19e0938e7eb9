"""The app is told to go, as systems and containers do: it leaves nothing behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from running import running
from visitor import Visitor


@pytest.mark.skipif(sys.platform == "win32", reason="there a process that is told to go is killed")
def test_an_app_that_is_told_to_go_takes_its_files_with_it(tmp_path: Path) -> None:
    with running(env={"TMPDIR": str(tmp_path)}) as app:
        visitor = Visitor(app.address)
        assert visitor.look("resnet64", "resnet64-linf10.safetensors").success
        visitor.upload("1.png", b"x")
        made = [path.name for path in tmp_path.rglob("*") if path.is_file()]
        assert "picture.png" in made
        assert "1.png" in made
    assert not list(tmp_path.rglob("1.png")), "a visitor's own picture"
    assert not list(tmp_path.glob("uap-downloads-*"))
